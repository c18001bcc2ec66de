// Which language a file is in: what the host's editor calls it, else what its name says.

/** @type {Record<string, string>} what editors call languages that are loaded under another name */
const CALLED = {
  javascriptreact: "javascript", typescriptreact: "tsx", jsx: "javascript", c: "cpp", "objective-c": "cpp", cuda: "cpp",
  jsonc: "json", json5: "json", shellscript: "shell", bash: "shell", scss: "css", less: "css", svelte: "html", vue: "html",
  svg: "xml", properties: "ini", dotenv: "ini", patch: "diff", mdx: "markdown",
};

/** @type {Record<string, string>} */
const ENDINGS = {
  py: "python", pyi: "python", js: "javascript", mjs: "javascript", cjs: "javascript", jsx: "javascript", ts: "typescript",
  mts: "typescript", cts: "typescript", tsx: "tsx", java: "java", c: "cpp", h: "cpp", cc: "cpp", cpp: "cpp", cxx: "cpp",
  hh: "cpp", hpp: "cpp", go: "go", rs: "rust", php: "php", css: "css", scss: "css", less: "css", json: "json", jsonl: "json",
  xml: "xml", svg: "xml", yml: "yaml", yaml: "yaml", html: "html", htm: "html", svelte: "html", vue: "html", md: "markdown",
  markdown: "markdown", cs: "csharp", kt: "kotlin", kts: "kotlin", scala: "scala", sc: "scala", dart: "dart", rb: "ruby",
  rake: "ruby", swift: "swift", sh: "shell", bash: "shell", zsh: "shell", sql: "sql", toml: "toml", lock: "toml", ini: "ini",
  cfg: "ini", conf: "ini", dockerfile: "dockerfile", lua: "lua", diff: "diff", patch: "diff",
};

/** @type {Record<string, string>} */
const NAMES = { dockerfile: "dockerfile", rakefile: "ruby", gemfile: "ruby", "package-lock.json": "json" };

/**
 * The name under which a file's language is loaded; none where it is plain text.
 * @param {string} file
 * @param {string} called
 * @param {Record<string, unknown>} known
 * @returns {string | null}
 */
export function languageOf(file, called, known) {
  const id = called.toLowerCase();
  const base = file.slice(file.lastIndexOf("/") + 1).toLowerCase();
  const ending = base.slice(base.lastIndexOf(".") + 1);
  for (const name of [id, CALLED[id], NAMES[base], ENDINGS[ending]]) {
    if (name !== undefined && Object.hasOwn(known, name)) return name;
  }
  return null;
}
