// The grammars, from the official packages, in the versions that the server has as wheels.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Language as Wasm, Parser, type Node } from "web-tree-sitter";
import { tables, type Language } from "./tables.js";

const require = createRequire(import.meta.url);
const SCOPED = new Set(["hcl", "kotlin", "lua", "toml", "yaml"]);
/** Grammars of which npm has no build for this runtime: the server alone proves these languages. */
const ABSENT = new Set(["dart", "dockerfile", "perl", "scss", "sql", "svelte", "swift", "xml", "r"]);

export const HIDDEN = -1;

export interface Syntax {
  errors: [number, number][];
  tokens: [number, number, number][];
  shape: [number, number][];
  comments: [number, number][];
  closed: [number, number][];
}

export class Grammar {
  private constructor(
    readonly name: string,
    private readonly parser: Parser,
    private readonly wasm: Wasm,
    private readonly comments: ReadonlySet<number>,
    private readonly wrappers: ReadonlySet<number>,
    private readonly closed: ReadonlySet<number>,
    private readonly openings: readonly string[],
    private readonly joined: string,
  ) {}

  static async load(language: Language): Promise<Grammar | null> {
    const [short = "", version = ""] = language.grammar.split("@");
    if (ABSENT.has(short.replace("-scanner", "")) || ABSENT.has(language.name)) return null;
    await Parser.init();
    const wasm = await Wasm.load(wasmFile(language, short));
    const parser = new Parser();
    parser.setLanguage(wasm);
    const numbers = (kinds: Iterable<string>): ReadonlySet<number> => {
      const wanted = new Set(kinds);
      return new Set(wasm.types.flatMap((kind, number) => (kind !== null && wanted.has(kind) ? [number] : [])));
    };
    const comments = numbers([...tables.comment_kinds, ...(tables.more_comment_kinds[language.name] ?? [])]);
    return new Grammar(`${short}@${version}`, parser, wasm, comments, numbers(tables.wrappers[language.name] ?? []), numbers(tables.closed[language.name] ?? []), tables.closed_openings[language.name] ?? [], tables.joined[language.name] ?? "");
  }

  kind(number: number): string {
    return number === HIDDEN ? "" : (this.wasm.types[number] ?? "ERROR");
  }

  /** Parse UTF-8 text; positions come in UTF-16 units and are told in bytes. */
  read(bytes: Uint8Array, source: string): Syntax {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const tree = this.parser.parse(text);
    if (tree === null) throw new Error("a parser with a language always answers");
    const found = this.walk(tree.rootNode, source, byteOffsets(text));
    tree.delete();
    return found;
  }

  private walk(root: Node, source: string, bytesAt: (index: number) => number): Syntax {
    const found: Syntax = { errors: [], tokens: [], shape: [], comments: [], closed: [] };
    const cursor = root.walk();
    let depth = 0;
    let reached = 0;
    const hidden = (start: number, end: number): void => {
      const between = source.slice(start, end);
      const bare = between.replace(/^[ \t\n\r\f\v]+|[ \t\n\r\f\v]+$/g, "");
      if (bare) {
        const from = start + (between.length - between.replace(/^[ \t\n\r\f\v]+/, "").length);
        found.tokens.push([HIDDEN, from, from + bare.length]);
      }
    };
    for (;;) {
      const node = cursor.currentNode;
      const kind = node.typeId;
      const start = bytesAt(node.startIndex);
      const end = bytesAt(node.endIndex);
      if (node.isError || node.isMissing) found.errors.push([start, end]);
      if (this.comments.has(kind)) {
        if (start > reached) hidden(reached, start);
        found.comments.push(...(this.joined ? lineComments(source, start, end, this.joined) : [[start, end] as [number, number]]));
        reached = Math.max(reached, end);
      } else if (cursor.gotoFirstChild()) {
        if (this.closed.has(kind) || this.openings.some((opening) => source.startsWith(opening, start))) found.closed.push([start, end]);
        if (depth && !this.wrappers.has(kind)) found.shape.push([depth, kind]);
        depth += 1;
        continue;
      } else {
        if (start > reached) hidden(reached, start);
        if (start < end && /[^ \t\n\r\f\v]/.test(source.slice(start, end))) {
          found.shape.push([depth, kind]);
          found.tokens.push([kind, start, end]);
        }
        reached = Math.max(reached, end);
      }
      while (!cursor.gotoNextSibling()) {
        if (!cursor.gotoParent()) {
          hidden(reached, source.length);
          cursor.delete();
          return found;
        }
        depth -= 1;
      }
    }
  }
}

/** The lines of a node that is several line comments; the node itself where it is anything else. */
function lineComments(source: string, start: number, end: number, sign: string): [number, number][] {
  const found: [number, number][] = [];
  let at = start;
  for (const line of source.slice(start, end).split("\n")) {
    const text = line.replace(/^[ \t\r\f\v]+|[ \t\r\f\v]+$/g, "");
    const begin = at + line.length - line.replace(/^[ \t\r\f\v]+/, "").length;
    if (text) found.push([begin, begin + text.length]);
    at += line.length + 1;
  }
  return found.every(([begin]) => source.startsWith(sign, begin)) ? found : [[start, end]];
}

function wasmFile(language: Language, short: string): string {
  const name = short === "tsx" ? "typescript" : short;
  const scope = SCOPED.has(name) ? "@tree-sitter-grammars/" : "";
  const folder = dirname(require.resolve(`${scope}tree-sitter-${name}/package.json`));
  return join(folder, `tree-sitter-${short.replace("c-sharp", "c_sharp")}.wasm`);
}

/** For text without characters beyond ASCII an index is its own byte offset. */
function byteOffsets(text: string): (index: number) => number {
  if (!/[^\x00-\x7f]/.test(text)) return (index) => index;
  const offsets = new Uint32Array(text.length + 1);
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    offsets[index] = bytes;
    const unit = text.charCodeAt(index);
    const low = unit >= 0xdc00 && unit <= 0xdfff;
    const high = unit >= 0xd800 && unit <= 0xdbff;
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : high ? 4 : low ? 0 : 3;
  }
  offsets[text.length] = bytes;
  return (index) => offsets[index] ?? bytes;
}
