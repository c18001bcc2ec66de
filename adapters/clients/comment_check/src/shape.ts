// The shape of a comment as it comes: a JSON value of which nothing is taken for granted.
import { CommentRefused, type Comment } from "./model.js";
import { limit } from "./tables.js";

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasKeys(value: Json, ...wanted: string[]): boolean {
  const keys = Object.keys(value);
  return keys.length === wanted.length && wanted.every((key) => keys.includes(key));
}

export function shaped(raw: unknown, lines: number): Comment {
  if (!isObject(raw) || !(hasKeys(raw, "type", "target", "content") || hasKeys(raw, "type", "line", "content"))) throw new CommentRefused("shape.keys");
  if (raw.type !== "inline" && raw.type !== "header") throw new CommentRefused("shape.type");
  const target = "target" in raw ? raw.target : { line: raw.line };
  if (!isObject(target) || !hasKeys(target, "line")) throw new CommentRefused("shape.target");
  const line = target.line;
  if (typeof line !== "number" || !Number.isInteger(line)) throw new CommentRefused("shape.line");
  if (line < 1 || line > lines) throw new CommentRefused("shape.line_range");
  return { type: raw.type, line, content: content(raw.content) };
}

function content(given: unknown): string {
  if (typeof given !== "string") throw new CommentRefused("shape.content");
  const text = given.replaceAll("\r\n", "\n");
  if (!text.trim()) throw new CommentRefused("shape.blank");
  if ([...text].length > limit("CONTENT_CHARS_MAX")) throw new CommentRefused("shape.too_long");
  if (text.split("\n").length > limit("CONTENT_LINES_MAX")) throw new CommentRefused("shape.too_many_lines");
  if (text.split(/\s+/).some((word) => [...word].length > limit("WORD_CHARS_MAX"))) throw new CommentRefused("shape.long_word");
  return text;
}
