// The text of a live session: every change that fits is made exactly, and every other is refused.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { sha256Here } from "../app/sha256.js";
import { DoesNotFit, LiveText, digestOf, shownAs, split } from "../app/live/text.js";

const change = (startLine, startCharacter, endLine, endCharacter, text) => ({
  range: { start: { line: startLine, character: startCharacter }, end: { line: endLine, character: endCharacter } },
  text,
});

const after = (before, ...changes) => {
  const text = new LiveText(before, 1);
  const edits = text.apply(1, 2, changes);
  assert.equal(displayed(shownAs(before), edits), shownAs(text.toString()));
  return text.toString();
};

/** What a display shows that makes the edits. */
function displayed(text, edits) {
  for (const edit of edits) {
    const starts = [0];
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    const from = starts[edit.fromLine] + edit.fromCharacter;
    const to = starts[edit.toLine] + edit.toCharacter;
    text = text.slice(0, from) + edit.insert + text.slice(to);
  }
  return text;
}

test("text is put in, taken out and replaced", () => {
  assert.equal(after("one\ntwo\n", change(0, 3, 0, 3, "!")), "one!\ntwo\n");
  assert.equal(after("one\ntwo\n", change(0, 1, 1, 1, "")), "owo\n");
  assert.equal(after("one\r\ntwo", change(0, 0, 1, 3, "a\rb")), "a\rb");
  assert.equal(after("", change(0, 0, 0, 0, "x\n"), change(1, 0, 1, 0, "y")), "x\ny");
});

test("characters are counted in UTF-16 code units", () => {
  assert.equal(after("a🐝b\n", change(0, 3, 0, 4, "c")), "a🐝c\n");
  assert.equal(after("e\u0301x", change(0, 2, 0, 3, "")), "e\u0301");
  assert.throws(() => after("a🐝b", change(0, 2, 0, 2, "x")), DoesNotFit);
});

test("only CR LF, LF and CR end a line", () => {
  assert.deepEqual(split("a\r\nb\nc\rd\u2028e\u0085f\vg"), ["a\r\n", "b\n", "c\r", "d\u2028e\u0085f\vg"]);
  assert.deepEqual(split("a\n"), ["a\n", ""]);
  assert.deepEqual(split("\n\r"), ["\n", "\r", ""]);
  assert.deepEqual(split(""), [""]);
});

test("a CR that gets its LF becomes one end with it", () => {
  assert.equal(after("a\rb", change(1, 0, 1, 0, "\n")), "a\r\nb");
  assert.equal(after("a\nb", change(0, 1, 0, 1, "\r")), "a\r\nb");
  assert.equal(after("a\rbc\nd", change(1, 0, 1, 2, "")), "a\r\nd");
  assert.equal(after("a\rx\nd", change(1, 0, 1, 1, "\n\r")), "a\r\n\r\nd");
  assert.equal(after("a\r\nd", change(0, 0, 0, 1, "\r")), "\r\r\nd");
});

test("what does not fit is refused", () => {
  for (const bad of [
    change(2, 0, 2, 0, "x"), change(0, 4, 0, 4, "x"), change(1, 0, 0, 0, "x"), change(0, 2, 0, 1, "x"),
  ]) assert.throws(() => after("one\r\ntwo", bad), DoesNotFit);
  assert.throws(() => new LiveText("one", 3).apply(2, 4, []), /version 3, not 2/);
});

test("any run of changes leaves what the same splices of a string leave, in the file and on the display", () => {
  let seed = 20261123;
  const random = (below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed >> 8) % below;
  };
  const pieces = ["a", "bc", "\n", "\r", "\r\n", "🐝", "e\u0301", "\u2028", " ", "", "\n\n", "\r\r\n\r"];
  for (let round = 0; round < 400; round++) {
    let expected = Array.from({ length: random(9) }, () => pieces[random(pieces.length)]).join("");
    let display = shownAs(expected);
    const text = new LiveText(expected, 0);
    for (let step = 1; step < 20; step++) {
      const places = positions(expected);
      const [from, to] = [random(places.length), random(places.length)].sort((a, b) => a - b);
      const inserted = pieces[random(pieces.length)] + pieces[random(pieces.length)];
      const [start, end] = [places[from], places[to]];
      const edits = text.apply(step - 1, step, [change(start.line, start.character, end.line, end.character, inserted)]);
      expected = expected.slice(0, start.at) + inserted + expected.slice(end.at);
      display = displayed(display, edits);
      assert.equal(text.toString(), expected);
      assert.deepEqual(text.lines, split(expected));
      assert.equal(display, shownAs(expected));
    }
  }
});

/** Every position that a text has. */
function positions(text) {
  const found = [];
  let at = 0;
  split(text).forEach((line, number) => {
    const content = line.replace(/[\r\n]+$/, "");
    for (let character = 0; character <= content.length; character++) {
      const pair = /[\ud800-\udbff]/.test(content[character - 1] ?? "") && /[\udc00-\udfff]/.test(content[character] ?? "");
      if (!pair) found.push({ line: number, character, at: at + character });
    }
    at += line.length;
  });
  return found;
}

test("the digest is that of the text in UTF-8, with and without the browser's own", async () => {
  for (const text of ["", "abc", "🐝\r\n".repeat(1000)]) {
    const expected = createHash("sha256").update(text, "utf8").digest("hex");
    assert.equal(await digestOf(text), expected);
    assert.equal(Buffer.from(sha256Here(new TextEncoder().encode(text))).toString("hex"), expected);
  }
});
