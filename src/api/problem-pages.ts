/** The pages behind each problem's `type`. They use no style sheet: the service's policy lets nothing else in. */
import { html } from "hono/html";
import { PROBLEMS, Problem, type ProblemCode } from "../errors.ts";
import { EXPLANATIONS } from "./explanations.ts";

type Html = ReturnType<typeof html>;

/** @param mount the path that the service is mounted at. */
export function problemList(mount: string): Html {
  const rows = Object.entries(PROBLEMS).map(
    ([code, { status, title }]) => html`<li>${status} <a href="${mount}/problems/${code}">${title}</a></li>`,
  );
  return page("Problems", html`<ul>${rows}</ul>`);
}

/** @throws Problem `not-found` if there is no such type. */
export function problemPage(type: string, mount: string): Html {
  if (!isCode(type)) throw new Problem("not-found", `There is no type of problem called "${type.slice(0, 80)}".`);
  const { status, title } = PROBLEMS[type];
  const { meaning, remedy } = EXPLANATIONS[type];
  return page(
    title,
    html`<p>Status ${status}, type <code>${mount}/problems/${type}</code></p>
<h2>What it means</h2>
<p>${meaning}</p>
<h2>What to do</h2>
<p>${remedy}</p>
<p><a href="${mount}/problems">All problems</a></p>`,
  );
}

function page(title: string, main: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} - ThumbNet Edge</title>
</head>
<body>
<main>
<h1>${title}</h1>
${main}
</main>
</body>
</html>
`;
}

function isCode(text: string): text is ProblemCode {
  return Object.hasOwn(PROBLEMS, text);
}
