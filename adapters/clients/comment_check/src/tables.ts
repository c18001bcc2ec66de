// The languages, limits and patterns that the server writes for this program: one source, two programs.
import { readFileSync } from "node:fs";

export interface Language {
  name: string;
  grammar: string;
  module: string;
  line_marker: string;
  block: [string, string];
  closers: string[];
  templated: boolean;
}

interface Written {
  source: string;
  flags: string;
}

type Node = Written | { [key: string]: Node } | Node[];

interface Tables {
  languages: Record<string, Language>;
  comment_kinds: string[];
  more_comment_kinds: Record<string, string[]>;
  wrappers: Record<string, string[]>;
  closed: Record<string, string[]>;
  closed_openings: Record<string, string[]>;
  joined: Record<string, string>;
  own_of: Record<string, string[]>;
  code_family: Record<string, string>;
  continues: string[];
  doc_lines: string[];
  limits: Record<string, number>;
  patterns: Record<string, Record<string, Node>>;
}

export const tables = JSON.parse(readFileSync(new URL("./tables.json", import.meta.url), "utf8")) as Tables;

/** The limit of that name; a limit that is not there would be no limit. */
export function limit(name: string): number {
  const value = tables.limits[name];
  if (value === undefined) throw new Error(`there is no limit ${name}`);
  return value;
}

function node(module: string, path: string[]): Node | undefined {
  let found: Node | undefined = tables.patterns[module];
  for (const key of path) found = (found as { [key: string]: Node } | undefined)?.[key];
  return found;
}

function compiled(written: Written, more: string): RegExp {
  return new RegExp(written.source, written.flags + more);
}

/** The pattern at that path; it has to be there. */
export function pattern(module: string, ...path: string[]): RegExp {
  const found = node(module, path);
  if (found === undefined) throw new Error(`there is no pattern ${module} ${path.join(" ")}`);
  return compiled(found as Written, "");
}

/** The same, to be looked for again and again. */
export function every(module: string, ...path: string[]): RegExp {
  const found = pattern(module, ...path);
  return new RegExp(found.source, found.flags + "g");
}

/** The pattern at that path, where there is one. */
export function maybe(module: string, ...path: string[]): RegExp | undefined {
  const found = node(module, path);
  return found === undefined ? undefined : compiled(found as Written, "");
}

/** All the patterns of a list. */
export function listed(module: string, name: string): RegExp[] {
  return (node(module, [name]) as Node[]).map((one) => compiled(one as Written, ""));
}

/** The pattern, to fit at the start. */
export function atStart(given: RegExp): RegExp {
  return new RegExp(`^(?:${given.source})`, given.flags);
}
