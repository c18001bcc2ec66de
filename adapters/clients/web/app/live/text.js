// A file's text as the host has it: changed by ranges in UTF-16 code units, and nothing is ever guessed.
//
// Lines end with CR LF, LF or CR, and with nothing else (LSP 3.17, "Text Documents").

import { sha256 } from "../sha256.js";

/** @typedef {import("../../types").Change} Change */
/** @typedef {import("../../types").Position} Position */

/**
 * A change as a display makes it whose lines end with one character each, whatever they end with in the file: the text
 * from one place to another, replaced by `insert`.
 * @typedef {{fromLine: number, fromCharacter: number, toLine: number, toCharacter: number, insert: string}} Edit
 */

/** A change does not belong to this text. The text is of no use any more then: ask for it anew. */
export class DoesNotFit extends Error {}

const LINE = /[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g;

export class LiveText {
  /**
   * @param {string} text
   * @param {number} version
   */
  constructor(text, version) {
    this.version = version;
    /** @type {string[]} with their ends; the last has none, and may be empty */
    this.lines = split(text);
  }

  toString() {
    return this.lines.join("");
  }

  /** The text with every line's end as LF, as displays have it. */
  get shown() {
    return shownAs(this.toString());
  }

  /**
   * Makes the changes, one after the other.
   * @param {number} base the version that they were made on
   * @param {number} version
   * @param {readonly Change[]} changes
   * @returns {Edit[]} the same for a display, to be made in this order
   */
  apply(base, version, changes) {
    if (base !== this.version) throw new DoesNotFit(`the text is at version ${this.version}, not ${base}`);
    const edits = changes.map((change) => this.#change(change));
    this.version = version;
    return edits;
  }

  /**
   * @param {Change} change
   * @returns {Edit}
   */
  #change({ range: { start, end }, text }) {
    const { lines } = this;
    const first = lines[start.line];
    const last = lines[end.line];
    if (first === undefined || last === undefined || start.line > end.line) {
      throw new DoesNotFit(`lines ${start.line} to ${end.line} are not in a text of ${lines.length}`);
    }
    const begin = placed(first, start);
    const stop = placed(last, end);
    if (start.line === end.line && begin > stop) throw new DoesNotFit("the range ends before it begins");
    const rest = last.slice(stop);
    const edit = { fromLine: start.line, fromCharacter: begin, toLine: end.line, toCharacter: stop, insert: text };
    let changed = first.slice(0, begin) + text + rest;
    const before = lines[start.line - 1];
    if (before !== undefined && before.endsWith("\r") && changed.startsWith("\n")) {
      // A CR that stood alone has got its LF: the two are one line's end.
      changed = before + changed;
      edit.fromLine -= 1;
      edit.fromCharacter = before.length - 1;
      edit.insert = text === "" ? "" : `\r${text}`;
    }
    if (edit.insert.endsWith("\r") && rest.startsWith("\n")) edit.insert = edit.insert.slice(0, -1);
    edit.insert = shownAs(edit.insert);
    const pieces = split(changed);
    if (end.line < lines.length - 1) pieces.pop();
    const replaced = end.line - edit.fromLine + 1;
    if (pieces.length === replaced) pieces.forEach((piece, index) => { lines[edit.fromLine + index] = piece; });
    else this.lines = [...lines.slice(0, edit.fromLine), ...pieces, ...lines.slice(end.line + 1)];
    return edit;
  }

  /** The SHA-256 of the text as it is now, in UTF-8, in hex. */
  digest() {
    return digestOf(this.toString());
  }
}

/**
 * The SHA-256 of a text in UTF-8, in hex.
 * @param {string} text
 */
export async function digestOf(text) {
  const bytes = await sha256(new TextEncoder().encode(text));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The lines of a text with their ends; the last has none, and may be empty.
 * @param {string} text
 * @returns {string[]}
 */
export function split(text) {
  /** @type {string[]} */
  const lines = text.match(LINE) ?? [];
  if (!/[^\r\n]$/.test(lines.at(-1) ?? "")) lines.push("");
  return lines;
}

/** @param {string} text */
export const shownAs = (text) => (text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text);

/**
 * Where a position is in its line.
 * @param {string} line
 * @param {Position} position
 */
function placed(line, { line: number, character }) {
  const length = line.endsWith("\r\n") ? line.length - 2 : line.length - (/[\r\n]$/.test(line) ? 1 : 0);
  if (character > length) throw new DoesNotFit(`character ${character} is beyond the end of line ${number}`);
  if (isHigh(line.charCodeAt(character - 1)) && isLow(line.charCodeAt(character))) {
    throw new DoesNotFit("a position is inside a surrogate pair");
  }
  return character;
}

/** @param {number} unit */
const isHigh = (unit) => unit >= 0xd800 && unit <= 0xdbff;

/** @param {number} unit */
const isLow = (unit) => unit >= 0xdc00 && unit <= 0xdfff;
