// What tools read from a file by its place, whatever the grammar says: it has to be the same before and after.
import { atStart, every, maybe, pattern } from "./tables.js";

const MODELINE_LINES = 5;
const MODELINE = pattern("magic", "MODELINE");
const SHEBANG = atStart(pattern("magic", "SHEBANG"));
const COOKIE = atStart(pattern("magic", "COOKIE"));
const RUBY = atStart(pattern("magic", "RUBY"));
const DOCKER = atStart(pattern("magic", "DOCKER"));
const GO_READ = atStart(pattern("magic", "GO_READ"));
const GO_C_IMPORT = atStart(pattern("magic", "GO_C_IMPORT"));
const KEPT_FIRST = ["@charset", "#cloud-", "# cloud-config", "#jinja", "## template", "#:schema", "%", "<?xml", "#compdef", "#autoload"];
const FIRST_LINE = new Set(["css", "scss", "yaml", "swift", "toml", "xml", "html", "bash"]);

/** Everything of that kind; two files of equal code with equal magic are run and built alike. */
export function magic(source: string, language: string): string {
  const body = source.replace(/^\xef\xbb\xbf/, "");
  const lines = body.split("\n");
  const first = lines[0] ?? "";
  const data = maybe("magic", "DATA", language)?.exec(body);
  return JSON.stringify([
    body.length - source.length,
    SHEBANG.test(first) ? first : null,
    modelines(lines),
    own(body, lines, language),
    data ? body.slice(data.index + data[0].length) : null,
  ]);
}

function modelines(given: string[]): string[] {
  const lines = [...given];
  while (lines.length && !lines.at(-1)?.trim()) lines.pop();
  return lines.filter((line, at) => (at < MODELINE_LINES || at >= lines.length - MODELINE_LINES) && MODELINE.test(line));
}

function own(body: string, lines: string[], language: string): unknown {
  if (language === "python") return [cookie(lines), [...body.matchAll(every("magic", "PEP_723"))].map((found) => found[0])];
  if (language === "ruby") return ruby(lines);
  if (language === "dockerfile") return docker(lines);
  if (language === "go") return go(lines);
  if (language === "sql") return [...body.matchAll(every("magic", "COPY"))].map((found) => found[1]);
  if (["javascript", "jsx", "typescript", "tsx"].includes(language)) return script(body);
  if (!FIRST_LINE.has(language)) return null;
  const line = lines[0] ?? "";
  return KEPT_FIRST.some((sign) => line.toLowerCase().startsWith(sign)) || line.includes("swift-tools-version") ? line : null;
}

function cookie(lines: string[]): string | null {
  for (const line of lines.slice(0, 2)) {
    const found = COOKIE.exec(line);
    if (found) return found[1] ?? null;
    if (line.split("#")[0]?.trim()) break;
  }
  return null;
}

function ruby(lines: string[]): unknown[] {
  const found: unknown[] = [];
  for (const [number, line] of lines.entries()) {
    if (line.trim() && !line.startsWith("#")) break;
    const match = RUBY.exec(line);
    if (match && (number < 2 || !match[1]?.toLowerCase().includes("coding"))) found.push([match[1]?.toLowerCase(), match[2]]);
  }
  return found;
}

function docker(lines: string[]): unknown[] {
  const found: unknown[] = [];
  for (const line of lines) {
    const directive = DOCKER.exec(line);
    if (!directive) break;
    found.push([directive[1]?.toLowerCase(), directive[2]]);
  }
  return found;
}

function go(lines: string[]): string[][] {
  const importsC = lines.some((line) => GO_C_IMPORT.test(line.trim()));
  const groups: string[][] = [];
  let group: string[] = [];
  let inBlock = false;
  for (const line of [...lines, ""]) {
    const text = line.trim();
    if (inBlock || text.startsWith("//") || text.startsWith("/*")) {
      group.push(text);
      inBlock = (inBlock || text.startsWith("/*")) && !text.includes("*/");
      continue;
    }
    const isImport = GO_C_IMPORT.test(text) || (importsC && text.startsWith("import"));
    if (group.length && (isImport || group.some((row) => GO_READ.test(row)))) groups.push([...group, text]);
    group = [];
  }
  return groups;
}

function script(body: string): string[] {
  const start = body.startsWith("#!") ? body.slice(body.indexOf("\n") + 1) : body;
  const text = start.trimStart();
  const first = text.startsWith("/*") ? text.split("*/", 1)[0] : text.startsWith("//") ? text.split("\n", 1)[0] : "";
  return [...(first ?? "").matchAll(every("magic", "PRAGMA"))].map((found) => found[0]);
}
