/** The students whose logits the bundle can read: their cards and labels; the models themselves run at the origin. */

import card56 from "../../models/student-56/card.json";
import labels56 from "../../models/student-56/labels.txt";
import card112 from "../../models/student-112/card.json";
import labels112 from "../../models/student-112/labels.txt";
import { type ClassifyModels, createStudent, type Student } from "../classify/student.ts";
import { parseCard } from "../downscaler/card.ts";

export const classifyModels: ClassifyModels = {
  students: [bundled(card56, labels56), bundled(card112, labels112)],
  threshold: 0.9,
};

function bundled(json: unknown, labels: string): Student {
  return createStudent(parseCard(json, "in the bundle"), labels);
}
