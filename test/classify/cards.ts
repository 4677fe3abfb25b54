/** The cards that the client's tests hold servers against: a student that is real, and one that is tiny. */
import { readFileSync } from "node:fs";
import { parseCard } from "../../src/downscaler/card.ts";

export const STUDENT_CARD = parseCard(JSON.parse(readFileSync("models/student-56/card.json", "utf8")), "student-56");

export const TINY_CARD = parseCard(
  {
    ...STUDENT_CARD,
    name: "tiny",
    input: { ...STUDENT_CARD.input, shape: [-1, 2, 2, 3] },
    output: { ...STUDENT_CARD.output, shape: [-1, 2] },
    classes: 2,
  },
  "tiny",
);
