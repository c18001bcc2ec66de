// The whole check: every comment is judged alone, what remains is proven together, and in halves where that fails.
import { createHash } from "node:crypto";
import { Grammar, HIDDEN, type Syntax } from "./grammars.js";
import { BOM, Lines, binary } from "./lines.js";
import { magic } from "./magic.js";
import { CommentRefused, FileRefused, type Comment, type Insertion, type Proof, type Report } from "./model.js";
import { Placement, firstFreeLine } from "./place.js";
import { shaped } from "./shape.js";
import { limit, pattern, tables, type Language } from "./tables.js";
import { refuseText } from "./text.js";

const ERRORS_SHARE_MAX = 0.25;
const WITH_PREPROCESSOR = new Set(["c", "cpp"]);
/** Languages of which the server asks a second parser that this client does not have. */
const SECOND_PROOFS = new Set(["python", "yaml", "toml", "html", "css", "makefile", "vue", "scala", "php"]);

const grammars = new Map<string, Promise<Grammar | null>>();

interface Opened {
  bytes: Uint8Array;
  source: string;
  language: Language;
  lines: Lines;
  grammar: Grammar | null;
  syntax: Syntax | null;
}

/** Judge comments (JSON values, as they came) for a file. `FileRefused` where nothing can be said about the file. */
export async function check(bytes: Uint8Array, name: string, comments: readonly unknown[]): Promise<Report> {
  const file = await open(bytes, name);
  const placement = new Placement(file.lines, file.language, file.syntax, firstFreeLine(file.lines, file.language, file.syntax));
  const report: Report = { accepted: [], refused: [], proof: null, after: bytes, reliesOnServer: file.grammar === null || SECOND_PROOFS.has(name) };
  const drafts: { insertion: Insertion; isHeader: boolean }[] = [];
  const refuse = (index: number, error: unknown): void => {
    if (!(error instanceof CommentRefused)) throw error;
    report.refused.push({ index, code: error.code });
  };
  for (const [index, raw] of comments.entries()) {
    try {
      const comment = shaped(raw, file.lines.count);
      refuseText(comment.content, file.language, file.source);
      const insertion = render(file, index, comment, placement.top);
      placement.refuse(comment, insertion);
      refuseInside(file, insertion);
      drafts.push({ insertion, isHeader: comment.type === "header" });
    } catch (error) {
      refuse(index, error);
    }
  }
  drafts.sort((a, b) => a.insertion.offset - b.insertion.offset || Number(b.isHeader) - Number(a.isHeader) || a.insertion.index - b.insertion.index);
  const order = drafts.map((draft) => draft.insertion);
  const waiting = order.length ? [order] : [];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    const wanted = new Set([...report.accepted, ...part]);
    const candidate = order.filter((one) => wanted.has(one));
    try {
      [report.proof, report.after] = prove(file, candidate);
      report.accepted = candidate;
    } catch (error) {
      const [first] = part;
      if (part.length === 1 && first) refuse(first.index, error);
      else if (!(error instanceof CommentRefused)) throw error;
      else waiting.push(part.slice(part.length >> 1), part.slice(0, part.length >> 1));
    }
  }
  report.refused.sort((a, b) => a.index - b.index);
  return report;
}

async function open(bytes: Uint8Array, name: string): Promise<Opened> {
  const language = tables.languages[name];
  if (language === undefined) throw new FileRefused("file.language_unknown");
  const source = binary(bytes);
  if (bytes.length > limit("SOURCE_BYTES_MAX")) throw new FileRefused("file.too_large");
  if (source.includes("\0")) throw new FileRefused("file.nul");
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FileRefused("file.not_utf8");
  }
  for (const [cause, key] of [["file.lone_cr", "LONE_CR"], ["file.line_separator", "SEPARATORS"], ["file.conflict_marker", "CONFLICT"]] as const) {
    if (pattern("source_file", key).test(source)) throw new FileRefused(cause);
  }
  let loading = grammars.get(name);
  if (loading === undefined) grammars.set(name, (loading = Grammar.load(language)));
  const grammar = await loading;
  const syntax = grammar?.read(bytes, source) ?? null;
  if (syntax && syntax.errors.length) {
    const wrong = syntax.errors.reduce((sum, [start, end]) => sum + end - start, 0);
    if (!WITH_PREPROCESSOR.has(name) || wrong > ERRORS_SHARE_MAX * bytes.length) throw new FileRefused("file.does_not_parse");
  }
  return { bytes, source, language, lines: new Lines(source), grammar, syntax };
}

function render(file: Opened, index: number, comment: Comment, top: number): Insertion {
  const { lines, language } = file;
  const line = comment.type === "header" ? top : comment.line;
  const indent = comment.type === "header" || line > lines.count ? "" : lines.indentation(line);
  const ending = lines.ending(Math.min(line, lines.count));
  const rows = comment.content.replace(/^\n+|\n+$/g, "").split("\n").map((row) => row.trimEnd());
  const text = written(rows, language).map((row) => (row ? indent + row : "") + ending).join("");
  return { index, offset: lines.start(line), text: new TextEncoder().encode(text), line };
}

function written(rows: string[], language: Language): string[] {
  if (language.line_marker) return rows.map((row) => `${language.line_marker} ${row}`.trimEnd());
  const [opens, closes] = language.block;
  const found = rows.map((row, at) => (at === 0 ? `${opens} ${row}` : `${" ".repeat(opens.length)} ${row}`.trimEnd()));
  found[found.length - 1] += ` ${closes}`;
  return found;
}

function refuseInside(file: Opened, insertion: Insertion): void {
  const within = ([start, end]: readonly [number, number]): boolean => start < insertion.offset && insertion.offset < end;
  if (file.syntax === null) return;
  if (file.syntax.comments.some(within)) throw new CommentRefused("proof.not_a_comment");
  if (file.syntax.tokens.some(([, start, end]) => within([start, end])) || file.syntax.closed.some(within)) throw new CommentRefused("proof.inside_token");
}

function prove(file: Opened, insertions: readonly Insertion[]): [Proof | null, Uint8Array] {
  const after = inserted(file.bytes, insertions);
  const source = binary(after);
  const ranges: [number, number][] = [];
  let moved = 0;
  let rest = "";
  let reached = 0;
  for (const { offset, text } of insertions) {
    ranges.push([offset + moved, offset + moved + text.length]);
    rest += source.slice(reached, offset + moved);
    moved += text.length;
    reached = offset + moved;
  }
  if (rest + source.slice(reached) !== file.source) throw new CommentRefused("proof.bytes");
  if (magic(file.source, file.language.name) !== magic(source, file.language.name)) throw new CommentRefused("proof.magic");
  if (file.grammar === null || file.syntax === null) return [null, after];
  const syntax = file.grammar.read(after, source);
  if (syntax.errors.length !== file.syntax.errors.length) throw new CommentRefused("proof.parse_error");
  compareTokens(file.syntax, syntax, insertions);
  compareComments(source, file.syntax, syntax, insertions, ranges);
  const tokens = tokensSha256(file.grammar, source, syntax);
  if (tokens !== tokensSha256(file.grammar, file.source, file.syntax)) throw new CommentRefused("proof.tokens");
  return [{ fileSha256Before: sha256(file.bytes), fileSha256After: sha256(after), tokensSha256: tokens, tokens: syntax.tokens.length, grammar: file.grammar.name }, after];
}

function inserted(bytes: Uint8Array, insertions: readonly Insertion[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let reached = 0;
  for (const { offset, text } of insertions) {
    parts.push(bytes.subarray(reached, offset), text);
    reached = offset;
  }
  return new Uint8Array(Buffer.concat([...parts, bytes.subarray(reached)]));
}

function shifted(insertions: readonly Insertion[], start: number, end: number): [number, number] {
  let from = start;
  let to = end;
  for (const { offset, text } of insertions) {
    if (offset <= start) from += text.length;
    if (offset < end) to += text.length;
  }
  return [from, to];
}

function compareTokens(before: Syntax, after: Syntax, insertions: readonly Insertion[]): void {
  if (before.tokens.length !== after.tokens.length) throw new CommentRefused("proof.tokens");
  for (const [at, [kind, start, end]] of before.tokens.entries()) {
    const [from, to] = shifted(insertions, start, end);
    const found = after.tokens[at];
    if (to - from !== end - start || found?.[0] !== kind || found[1] !== from || found[2] !== to) throw new CommentRefused(kind === HIDDEN ? "proof.inside_token" : "proof.tokens");
  }
  const same = before.shape.length === after.shape.length && before.shape.every(([depth, kind], at) => after.shape[at]?.[0] === depth && after.shape[at]?.[1] === kind);
  if (!same) throw new CommentRefused("proof.structure");
}

function compareComments(source: string, before: Syntax, after: Syntax, insertions: readonly Insertion[], ranges: readonly [number, number][]): void {
  const old = new Set(before.comments.map(([start, end]) => shifted(insertions, start, end).join()));
  const fresh = after.comments.filter((comment) => !old.has(comment.join()));
  if (fresh.length + old.size !== after.comments.length) throw new CommentRefused("proof.comments");
  let inside = 0;
  for (const [start, end] of ranges) {
    let reached = start;
    for (const [from, to] of fresh.filter(([begin]) => begin >= start && begin < end)) {
      if (to > end || source.slice(reached, from).trim()) throw new CommentRefused("proof.not_a_comment");
      reached = to;
      inside += 1;
    }
    if (source.slice(reached, end).trim()) throw new CommentRefused("proof.not_a_comment");
  }
  if (inside !== fresh.length) throw new CommentRefused("proof.comments");
}

function tokensSha256(grammar: Grammar, source: string, syntax: Syntax): string {
  const digest = createHash("sha256");
  for (const [kind, start, end] of syntax.tokens) {
    digest.update(`${grammar.kind(kind)}\0${end - start}\0`, "utf8");
    digest.update(source.slice(start, end), "latin1");
  }
  return digest.digest("hex");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export { BOM, FileRefused };
export type { Report };
