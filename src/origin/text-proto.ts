/**
 * Reads protocol buffers' text format as far as Triton's `config.pbtxt` uses it: messages, lists, strings, numbers, enums.
 *
 * @see https://protobuf.dev/reference/protobuf/textformat-spec/
 */

export type TextValue = string | number | boolean | TextMessage;

/** Every field is a list, as a field may be given again or as `[a, b]`: whether it may repeat is for the schema to say. */
export interface TextMessage {
  [field: string]: TextValue[];
}

const TOKEN = /\s+|#[^\n]*|(?<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<word>[\w.+-]+)|(?<mark>[{}[\]<>:,;])/y;
const MAX_DEPTH = 32;

/** @throws Error naming the place, if the text is not of this form. */
export function parseTextProto(text: string): TextMessage {
  const tokens = tokenize(text);
  let next = 0;

  const peek = () => tokens[next];
  const take = (mark: string) => {
    if (peek() !== mark) return false;
    next++;
    return true;
  };
  const fail = (expected: string): never => {
    throw new Error(`Expected ${expected} but found ${peek() ?? "the end"} (token ${next + 1}).`);
  };

  function message(end: string | undefined, depth: number): TextMessage {
    if (depth > MAX_DEPTH) fail(`at most ${MAX_DEPTH} nested messages`);
    const fields: TextMessage = Object.create(null);
    while (peek() !== end) {
      const name = peek();
      if (name === undefined || !/^[a-z_]\w*$/i.test(name)) return fail("a field name");
      next++;
      const colon = take(":");
      if (!colon && peek() !== "{" && peek() !== "<" && peek() !== "[") fail('":" or a message');
      const values = fields[name] ?? [];
      fields[name] = values;
      if (take("[")) {
        while (!take("]")) {
          values.push(value(depth));
          take(",");
        }
      } else values.push(value(depth));
      take(",") || take(";");
    }
    next++;
    return fields;
  }

  function value(depth: number): TextValue {
    if (take("{")) return message("}", depth + 1);
    if (take("<")) return message(">", depth + 1);
    const token = peek();
    if (token === undefined || /^[{}[\]<>:,;]$/.test(token)) return fail("a value");
    next++;
    if (/^["']/.test(token)) return unquote(token);
    if (token === "true" || token === "false") return token === "true";
    return Number.isNaN(Number(token)) ? token : Number(token);
  }

  return message(undefined, 0);
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`Cannot read ${JSON.stringify(text.slice(at, at + 20))}.`);
    const token = match.groups?.string ?? match.groups?.word ?? match.groups?.mark;
    if (token !== undefined) tokens.push(token);
  }
  return tokens;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

function unquote(token: string): string {
  return token.slice(1, -1).replace(/\\(.)/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
}
