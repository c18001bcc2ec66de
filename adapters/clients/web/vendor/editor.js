// What the live page uses of CodeMirror, as one module; each language is a module of its own that is loaded when needed.

import { LRLanguage, Language, StreamLanguage, defineLanguageFacet } from "@codemirror/language";

export { Annotation, ChangeSet, Compartment, EditorState, StateEffect, StateField, Text } from "@codemirror/state";
export { Decoration, EditorView, WidgetType, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
export { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
export { standardKeymap } from "@codemirror/commands";
export { openSearchPanel, search, searchKeymap } from "@codemirror/search";
export { tags } from "@lezer/highlight";

const lr = (module, dialect) =>
  LRLanguage.define({ parser: dialect === undefined ? module.parser : module.parser.configure({ dialect }) });

const script = async (dialect) => lr(await import("@lezer/javascript"), dialect);

const stream = (mode) => StreamLanguage.define(mode);

const clike = async (name) => stream((await import("@codemirror/legacy-modes/mode/clike"))[name]);

const html = async () => {
  const [{ configureNesting, parser }, javascript, css] = await Promise.all([
    import("@lezer/html"),
    import("@lezer/javascript"),
    import("@lezer/css"),
  ]);
  const nested = configureNesting([
    { tag: "script", attrs: (attributes) => attributes.lang === "ts", parser: javascript.parser.configure({ dialect: "ts" }) },
    { tag: "script", parser: javascript.parser },
    { tag: "style", parser: css.parser },
  ]);
  return LRLanguage.define({ parser: parser.configure({ wrap: nested }) });
};

const markdown = async () => {
  const { GFM, parser } = await import("@lezer/markdown");
  return new Language(defineLanguageFacet(), parser.configure(GFM), [], "markdown");
};

/** How each language is loaded. */
export const LANGUAGES = {
  python: async () => lr(await import("@lezer/python")),
  javascript: () => script("jsx"),
  typescript: () => script("ts"),
  tsx: () => script("jsx ts"),
  java: async () => lr(await import("@lezer/java")),
  cpp: async () => lr(await import("@lezer/cpp")),
  go: async () => lr(await import("@lezer/go")),
  rust: async () => lr(await import("@lezer/rust")),
  php: async () => lr(await import("@lezer/php")),
  css: async () => lr(await import("@lezer/css")),
  json: async () => lr(await import("@lezer/json")),
  xml: async () => lr(await import("@lezer/xml")),
  yaml: async () => lr(await import("@lezer/yaml")),
  html,
  markdown,
  csharp: () => clike("csharp"),
  kotlin: () => clike("kotlin"),
  scala: () => clike("scala"),
  dart: () => clike("dart"),
  ruby: async () => stream((await import("@codemirror/legacy-modes/mode/ruby")).ruby),
  swift: async () => stream((await import("@codemirror/legacy-modes/mode/swift")).swift),
  shell: async () => stream((await import("@codemirror/legacy-modes/mode/shell")).shell),
  sql: async () => stream((await import("@codemirror/legacy-modes/mode/sql")).standardSQL),
  toml: async () => stream((await import("@codemirror/legacy-modes/mode/toml")).toml),
  ini: async () => stream((await import("@codemirror/legacy-modes/mode/properties")).properties),
  dockerfile: async () => stream((await import("@codemirror/legacy-modes/mode/dockerfile")).dockerFile),
  lua: async () => stream((await import("@codemirror/legacy-modes/mode/lua")).lua),
  diff: async () => stream((await import("@codemirror/legacy-modes/mode/diff")).diff),
};
