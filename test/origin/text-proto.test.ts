import { describe, expect, test } from "vitest";
import { parseTextProto } from "../../src/origin/text-proto.ts";

describe("text format in every spelling that config.pbtxt files use", () => {
  test.each<[string, string, unknown]>([
    ["a string", 'name: "a"', { name: ["a"] }],
    ["single quotes and escapes", String.raw`name: 'a\'b\n'`, { name: ["a'b\n"] }],
    ["numbers", "a: 3 b: -1 c: 1.5e3", { a: [3], b: [-1], c: [1500] }],
    ["an enum", "kind: KIND_CPU", { kind: ["KIND_CPU"] }],
    ["booleans", "a: true b: false", { a: [true], b: [false] }],
    ["a message without a colon", "a { b: 1 }", { a: [{ b: [1] }] }],
    ["a message with a colon", "a: { b: 1 }", { a: [{ b: [1] }] }],
    ["angle brackets", "a < b: 1 >", { a: [{ b: [1] }] }],
    ["a list of numbers", "dims: [ 56, 56, 3 ]", { dims: [56, 56, 3] }],
    ["an empty list", "dims: []", { dims: [] }],
    ["a list of messages", "a [ { b: 1 }, { b: 2 } ]", { a: [{ b: [1] }, { b: [2] }] }],
    ["a repeated field", "a: 1 a: 2", { a: [1, 2] }],
    ["separators", "a: 1, b: 2; c: 3", { a: [1], b: [2], c: [3] }],
    ["comments", "# first\na: 1 # second\n", { a: [1] }],
    ["nothing", " \n", {}],
    ["an empty message", "dynamic_batching { }", { dynamic_batching: [{}] }],
    ["names of Object's own", "constructor: 1", { constructor: [1] }],
  ])("%s", (_, text, expected) => {
    expect(parseTextProto(text)).toEqual(expected);
  });
});

describe("anything else is refused with its place", () => {
  test.each([
    ["an open message", "a {", /Expected a field name but found the end/],
    ["a message closed twice", "a { } }", /Expected a field name but found }/],
    ["no value", "a:", /Expected a value but found the end/],
    ["no colon", "a 1", /Expected ":" or a message but found 1/],
    ["an open list", "a: [1", /Expected a value but found the end/],
    ["an open string", 'a: "b', /Cannot read/],
    ["a stray character", "a: %", /Cannot read "%"/],
    ["a value for a name", "1: 2", /Expected a field name/],
    ["messages without end", "a{".repeat(40), /at most 32 nested messages/],
  ])("%s", (_, text, message) => {
    expect(() => parseTextProto(text)).toThrow(message);
  });
});
