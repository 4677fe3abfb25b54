/** The classifiers whose logits the bundle can read: their cards and labels; the models themselves run at the origin. */
import calibration from "../../models/calibration.json";
import cardRestored56 from "../../models/restored-56/card.json";
import labelsRestored56 from "../../models/restored-56/labels.txt";
import cardRestored112 from "../../models/restored-112/card.json";
import labelsRestored112 from "../../models/restored-112/labels.txt";
import card56 from "../../models/student-56/card.json";
import labels56 from "../../models/student-56/labels.txt";
import cardFull56 from "../../models/student-56-full/card.json";
import labelsFull56 from "../../models/student-56-full/labels.txt";
import cardLowStride56 from "../../models/student-56-low-stride/card.json";
import labelsLowStride56 from "../../models/student-56-low-stride/labels.txt";
import cardThousand56 from "../../models/student-56-thousand/card.json";
import labelsThousand56 from "../../models/student-56-thousand/labels.txt";
import card112 from "../../models/student-112/card.json";
import labels112 from "../../models/student-112/labels.txt";
import cardFull112 from "../../models/student-112-full/card.json";
import labelsFull112 from "../../models/student-112-full/labels.txt";
import card224 from "../../models/teacher-224/card.json";
import labels224 from "../../models/teacher-224/labels.txt";
import { calibrationFile } from "../classify/calibration.ts";
import { type ClassifyModels, createStudent, type Student } from "../classify/student.ts";
import { parseCard } from "../downscaler/card.ts";
import { wholePhoto } from "../downscaler/whole.ts";

const fitted = calibrationFile.parse(calibration);
const teacher = bundled(card224, labels224);

export const classifyModels: ClassifyModels = {
  students: [
    bundled(card56, labels56),
    bundled(cardLowStride56, labelsLowStride56),
    bundled(cardThousand56, labelsThousand56),
    bundled(cardFull56, labelsFull56),
    bundled(cardRestored56, labelsRestored56),
    bundled(card112, labels112),
    bundled(cardFull112, labelsFull112),
    bundled(cardRestored112, labelsRestored112),
    teacher,
  ],
  whole: [wholePhoto(teacher.card)],
};

function bundled(json: unknown, labels: string): Student {
  return createStudent(parseCard(json, "in the bundle"), labels, fitted);
}
