// Where a comment may not stand: above what must come first, and between lines that belong together.
import type { Syntax } from "./grammars.js";
import type { Lines } from "./lines.js";
import { CommentRefused, type Comment, type Insertion } from "./model.js";
import { atStart, maybe, pattern, tables, type Language } from "./tables.js";
import { binary } from "./lines.js";

const LOOKED_AT_LINES_MAX = 60;
const SHEBANG = atStart(pattern("protected_top", "SHEBANG"));
const EMACS = atStart(pattern("protected_top", "EMACS"));
const COOKIE = atStart(pattern("protected_top", "PYTHON_COOKIE"));
const ABOVE = atStart(pattern("protected_top", "ABOVE"));
const PRAGMA = pattern("protected_top", "PRAGMA");
const NEXT_LINE = pattern("placement", "NEXT_LINE");
const NEXT_LINE_BEHIND = pattern("placement", "NEXT_LINE_BEHIND");
const COMMENT_LINE = atStart(pattern("placement", "COMMENT_LINE"));
const DOC_LINE = atStart(pattern("placement", "DOC_LINE"));
const HADDOCK = pattern("placement", "HADDOCK");
const HADDOCK_LINE = atStart(pattern("placement", "HADDOCK_LINE"));
const HELP = pattern("placement", "HELP");
const HASH_LINE = atStart(pattern("placement", "HASH_LINE"));
const CONTINUED = pattern("placement", "CONTINUED");
const BACKTICK = pattern("placement", "BACKTICK");
const WITH_DOCBLOCK = new Set(["javascript", "jsx", "typescript", "tsx"]);
const WITH_FRONT_MATTER = new Set(["html", "css", "scss", "vue", "svelte", "xml"]);

/** The first line that a comment may stand above. */
export function firstFreeLine(lines: Lines, language: Language, syntax: Syntax | null): number {
  const name = language.name;
  let top = lines.count > 0 && SHEBANG.test(lines.text(1)) ? 2 : 1;
  for (let line = 1; line <= Math.min(2, lines.count); line++) {
    const text = lines.text(line);
    if (EMACS.test(text) || (name === "python" && COOKIE.test(text))) top = line + 1;
  }
  top = Math.max(top, belowLeading(lines, top, name));
  if (name === "php") return Math.max(top, belowTag(lines, "<?php"));
  if ((name === "xml" || name === "html") && lines.source.replace(/^\xef\xbb\xbf/, "").startsWith("<?xml")) top = Math.max(top, belowTag(lines, "?>"));
  if (name === "yaml" && lines.text(top > 1 ? top - 1 : 1).startsWith("%")) top = belowDocumentStart(lines, top);
  if (name === "go" && top > 1 && top <= lines.count && !lines.text(top).trim()) top += 1;
  if (WITH_DOCBLOCK.has(name) && syntax) top = Math.max(top, belowDocblock(lines, syntax));
  return Math.max(top, belowFrontMatter(lines, name));
}

function belowLeading(lines: Lines, start: number, name: string): number {
  const found = maybe("protected_top", "FIRST", name);
  if (found === undefined) return start;
  const first = atStart(found);
  let top = start;
  for (let line = start; line <= Math.min(lines.count, LOOKED_AT_LINES_MAX); line++) {
    if (first.test(lines.text(line))) top = line + 1;
    else if (!ABOVE.test(lines.text(line))) break;
  }
  return top;
}

function belowTag(lines: Lines, tag: string): number {
  for (let line = 1; line <= lines.count; line++) if (lines.text(line).includes(tag)) return line + 1;
  return lines.count + 1;
}

function belowDocumentStart(lines: Lines, top: number): number {
  for (let line = top; line <= Math.min(lines.count, LOOKED_AT_LINES_MAX); line++) if (lines.text(line).startsWith("---")) return line + 1;
  return top;
}

function belowDocblock(lines: Lines, syntax: Syntax): number {
  const first = syntax.comments[0];
  if (first === undefined) return 1;
  const [start, end] = first;
  const shebang = SHEBANG.test(lines.source) ? lines.source.indexOf("\n") + 1 : 0;
  const isFirst = !lines.source.slice(shebang, start).replace(/^\xef\xbb\xbf/, "").trim();
  return isFirst && PRAGMA.test(lines.source.slice(start, end)) ? lines.at(end) + 1 : 1;
}

function belowFrontMatter(lines: Lines, name: string): number {
  if (!WITH_FRONT_MATTER.has(name) || !lines.count || lines.text(1).trim() !== "---") return 1;
  for (let line = 2; line <= lines.count; line++) if (lines.text(line).trim() === "---") return line + 1;
  return lines.count + 1;
}

export class Placement {
  private readonly seen = new Set<string>();

  constructor(
    private readonly lines: Lines,
    private readonly language: Language,
    private readonly syntax: Syntax | null,
    readonly top: number,
  ) {}

  refuse(comment: Comment, insertion: Insertion): void {
    const { line } = insertion;
    if (line < this.top) throw new CommentRefused("place.top");
    if (line > this.lines.count && !this.lines.raw(this.lines.count).endsWith("\n")) throw new CommentRefused("place.top");
    if (this.language.block[0] === "<!--") this.refuseBetweenWords(insertion);
    if (this.language.name === "makefile" && line <= this.lines.count && (this.lines.raw(line).startsWith("\t") || this.lines.source.includes(".RECIPEPREFIX"))) {
      throw new CommentRefused("place.recipe");
    }
    this.refuseAdjacent(line);
    this.refuseDuplicate(insertion);
  }

  private refuseBetweenWords(insertion: Insertion): void {
    const isSvelte = this.language.name === "svelte";
    const before = this.lines.source.slice(0, insertion.offset).replace(/^\xef\xbb\xbf/, "").trimEnd();
    const behind = this.lines.source.slice(insertion.offset).trimStart();
    const ends = before.endsWith(">") || (isSvelte && before.endsWith("}"));
    const begins = behind.startsWith("<") || (isSvelte && behind.startsWith("{"));
    if ((before && insertion.line !== this.top && !ends) || (behind && !begins)) throw new CommentRefused("place.between_words");
  }

  private refuseAdjacent(line: number): void {
    let above = line - 1;
    while (above >= 1 && !this.lines.text(above).trim()) above -= 1;
    if (above < 1) return;
    const text = this.lines.text(above);
    const name = this.language.name;
    if (tables.doc_lines.includes(name) && line <= this.lines.count && DOC_LINE.test(text) && DOC_LINE.test(this.lines.text(line))) {
      throw new CommentRefused("place.doc_comment");
    }
    if (name === "haskell" && above === line - 1 && this.isHaddock(above)) throw new CommentRefused("place.doc_comment");
    const continued = name === "powershell" ? BACKTICK : tables.continues.includes(name) ? CONTINUED : undefined;
    if (continued?.test(text)) throw new CommentRefused("place.continuation");
    const isDirective = COMMENT_LINE.test(text) && (NEXT_LINE.test(text) || maybe("placement", "NEXT_LINE_OF", name)?.test(text));
    if (isDirective || NEXT_LINE_BEHIND.test(text)) throw new CommentRefused("place.directive_above");
    if (name === "powershell" && this.isHelp(above)) throw new CommentRefused("place.help_above");
  }

  private isHaddock(from: number): boolean {
    let above = from;
    while (above > 1 && HADDOCK_LINE.test(this.lines.text(above)) && !HADDOCK.test(this.lines.text(above))) above -= 1;
    return HADDOCK.test(this.lines.text(above));
  }

  private isHelp(from: number): boolean {
    let above = from;
    for (; above > 1 && HASH_LINE.test(this.lines.text(above)); above--) if (HELP.test(this.lines.text(above))) return true;
    const end = this.lines.start(above) + this.lines.text(above).trimEnd().length;
    return (this.syntax?.comments ?? []).some(([start, commentEnd]) => commentEnd === end && HELP.test(this.lines.source.slice(start, commentEnd)));
  }

  private refuseDuplicate(insertion: Insertion): void {
    const text = binary(insertion.text);
    const rows = text.split("\n").slice(0, -1).map((row) => row.trim());
    const above: string[] = [];
    for (let line = Math.max(1, insertion.line - rows.length); line < insertion.line; line++) above.push(this.lines.text(line).trim());
    const key = `${insertion.offset} ${text}`;
    if (above.join("\n") === rows.join("\n") || this.seen.has(key)) throw new CommentRefused("place.duplicate");
    this.seen.add(key);
  }
}
