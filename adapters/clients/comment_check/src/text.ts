// What a comment may not say: hidden characters, signs that end or continue a comment, directives, secrets, code.
import { CommentRefused } from "./model.js";
import { atStart, every, limit, listed, maybe, pattern, tables, type Language } from "./tables.js";

const CHARACTERS = [
  ["text.control", pattern("characters", "CONTROL")],
  ["text.bidirectional", pattern("characters", "BIDIRECTIONAL")],
  ["text.noncharacter", pattern("characters", "UNASSIGNABLE")],
  ["text.invisible", pattern("characters", "INVISIBLE")],
] as const;
const JOINER = every("characters", "JOINER");
const JOINING = pattern("characters", "JOINING");
const VIRAMA = pattern("characters", "VIRAMA");
const EMOJI_JOINED = every("characters", "EMOJI_JOINED");
const SELECTOR = every("characters", "SELECTOR");
const SELECTED = every("characters", "SELECTED");
const MIXED = pattern("characters", "MIXED");

const [CONTINUED, BACKTICK, TEMPLATE, PAGE_TEMPLATE, ESCAPE] = ["CONTINUED", "BACKTICK_CONTINUED", "TEMPLATE", "PAGE_TEMPLATE", "ESCAPE"].map((name) =>
  pattern("text_rules", name),
) as [RegExp, RegExp, RegExp, RegExp, RegExp];
const [LEADING, DOC_TAG, LONG_BRACKET, FENCE, CONDITIONAL] = ["LEADING", "DOC_TAG", "LONG_BRACKET", "FENCE", "CONDITIONAL"].map((name) =>
  atStart(pattern("text_rules", name)),
) as [RegExp, RegExp, RegExp, RegExp, RegExp];
const OCAML_QUOTED = pattern("text_rules", "OCAML_QUOTED");
const HASKELL_CPP = pattern("text_rules", "HASKELL_CPP");

const PAYLOAD = [
  ["text.secret", ["SECRET", "CREDENTIAL_URL", "ASSIGNED"]],
  ["text.injection", ["INJECTION", "SPEAKER"]],
  ["text.filler", ["FILLER"]],
] as const;
const DRESSED = every("characters", "DRESSED");
const NESTED = every("directives", "NESTED");
const BULLET = atStart(pattern("directives", "BULLET"));
const ANY_CASE = atStart(pattern("directives", "ANY_CASE"));
const WITHIN = pattern("directives", "WITHIN");
const DIRECTIVES = [...listed("directives", "FORMS"), pattern("directives", "ANY_CASE"), pattern("directives", "AS_WRITTEN")].map(atStart);

export function refuseText(content: string, language: Language, source: string): void {
  refuseCharacters(content);
  refuseClosers(content, language, source);
  const backtick = (language.name === "powershell" || language.name === "dockerfile") && BACKTICK.test(content) && content.split("`").length % 2 === 0;
  if (CONTINUED.test(content) || backtick) throw new CommentRefused("text.continuation");
  if ((language.name === "java" || language.name === "scala") && ESCAPE.test(content)) throw new CommentRefused("text.unicode_escape");
  const isTemplate = (language.templated && TEMPLATE.test(content)) || (language.name === "html" && PAGE_TEMPLATE.test(content));
  if (isTemplate) throw new CommentRefused("text.template");
  for (const line of content.split("\n")) refuseLine(line.trim(), language, source);
  for (const [code, names] of PAYLOAD) if (names.some((name) => pattern("payload", name).test(content))) throw new CommentRefused(code);
}

function refuseCharacters(content: string): void {
  for (const [code, found] of CHARACTERS) if (found.test(content)) throw new CommentRefused(code);
  const emoji = new Set([...content.matchAll(EMOJI_JOINED)].map((found) => found.index + found[0].length - 1));
  for (const { index } of content.matchAll(JOINER)) {
    const between = JOINING.test(content.slice(index - 1, index)) && JOINING.test(content.slice(index + 1, index + 2));
    if (!between && !VIRAMA.test(content.slice(index - 1, index)) && !emoji.has(index)) throw new CommentRefused("text.joiner");
  }
  const selected = new Set([...content.matchAll(SELECTED)].map((found) => found.index + found[0].length - 1));
  for (const { index } of content.matchAll(SELECTOR)) if (!selected.has(index)) throw new CommentRefused("text.invisible");
  if (MIXED.test(content)) throw new CommentRefused("text.mixed_script");
  let stacked = 0;
  for (const sign of content) {
    stacked = sign > "\u02ff" && /[\p{Mn}\p{Me}]/u.test(sign) ? stacked + 1 : 0;
    if (stacked > limit("STACKED_MARKS_MAX")) throw new CommentRefused("text.stacked_marks");
  }
}

function refuseClosers(content: string, language: Language, source: string): void {
  const lowered = content.toLowerCase();
  const rows = content.split("\n").map((row) => row.trim());
  const name = language.name;
  const closes =
    language.closers.some((closer) => lowered.includes(closer)) ||
    (name === "lua" && rows.some((row) => LONG_BRACKET.test(row))) ||
    (name === "ocaml" && OCAML_QUOTED.test(content)) ||
    (name === "xml" && (rows.at(-1) ?? "").endsWith("-")) ||
    (language.block[0] === "<!--" &&
      (rows.some((row) => CONDITIONAL.test(row)) || (rows[0] ?? "").startsWith("->") || /(?:<!-|--!)$/.test(rows.at(-1) ?? ""))) ||
    (name === "haskell" && HASKELL_CPP.test(source) && ["/*", "*/", "//"].some((sign) => content.includes(sign)));
  if (closes) throw new CommentRefused("text.terminator");
}

function refuseLine(line: string, language: Language, source: string): void {
  if (!line) return;
  if (LEADING.test(line) && !DOC_TAG.test(line)) throw new CommentRefused("text.leading_symbol");
  refuseDirectives(line.replace(DRESSED, (sign) => sign.normalize("NFKC")), language.name);
  if (FENCE.test(line) || readsAsCode(line, language.name) || saysAStatement(line, source)) throw new CommentRefused("text.code");
}

function refuseDirectives(line: string, language: string): void {
  if (pattern("directives", "MODELINE").test(line)) throw new CommentRefused("text.modeline");
  if (pattern("directives", "LEGAL").test(line)) throw new CommentRefused("text.legal");
  const own = (tables.own_of[language] ?? []).map((family) => atStart(pattern("directives", "OWN", family)));
  const starts = [line, ...[...line.matchAll(NESTED)].map((found) => line.slice(found.index + found[0].length))];
  const isOne = [...DIRECTIVES, ...own].some((directive) => starts.some((start) => directive.test(start)));
  const bullet = BULLET.exec(line);
  if (isOne || (bullet && ANY_CASE.test(line.slice(bullet[0].length))) || WITHIN.test(line)) throw new CommentRefused("text.directive");
}

function saysAStatement(line: string, source: string): boolean {
  const found = atStart(pattern("code_lines", "STATEMENT")).exec(line);
  const name = found?.[1] ?? found?.[2];
  return name !== undefined && new RegExp(`\\b${name}\\b`).test(source);
}

function readsAsCode(given: string, language: string): boolean {
  const line = given.replace(/^[-*] /, "");
  if (atStart(pattern("code_lines", "BIG_O")).test(line)) return false;
  if (pattern("code_lines", "CERTAIN").test(line)) return true;
  const own = maybe("code_lines", "OF_LANGUAGE", tables.code_family[language] ?? language);
  if (own?.test(line) && !isSentence(line)) return true;
  const assignment = atStart(pattern("code_lines", "ASSIGNMENT")).exec(line);
  if (assignment) return !isSentence(assignment.groups?.value ?? "");
  const call = atStart(pattern("code_lines", "CALL")).exec(line);
  if (call) return !isSentence(call.groups?.inside ?? "");
  if (atStart(pattern("code_lines", "ENDED")).test(line) && !isSentence(line)) return true;
  return pattern("code_lines", "STATEMENTS").test(line) && (!isSentence(line) || /[;{]$|\{\}$/.test(line));
}

function isSentence(text: string): boolean {
  const bare = text.replace(/"[^"]*"|'[^' ]*'|`[^`]*`|\([^)]*\)/g, " ");
  return [...bare.matchAll(every("code_lines", "WORDS"))].length >= 3;
}
