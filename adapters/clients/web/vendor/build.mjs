// Makes app/vendor/codemirror from the packages that package-lock.json pins: `node vendor/build.mjs [PACKAGES [TARGET]]`.
//
// PACKAGES is the folder with the installed packages. The same packages give the same bytes, wherever they lie.

import { createRequire } from "node:module";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const packages = resolve(process.argv[2] ?? join(here, "..", "node_modules"));
const target = resolve(process.argv[3] ?? join(here, "..", "app", "vendor", "codemirror"));
const { build } = createRequire(join(packages, "x"))("esbuild");

// The entry lies beside the packages while it is built, so that paths in the result do not depend on where this is.
const root = mkdtempSync(join(dirname(packages), "vendor-"));
const entry = join(dirname(packages), "editor.js");
try {
  copyFileSync(join(here, "editor.js"), entry);
  const made = await build({
    absWorkingDir: dirname(packages),
    entryPoints: [entry],
    outdir: root,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    chunkNames: "[name]-[hash]",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(root)) copyFileSync(join(root, name), join(target, name));
  copyFileSync(join(here, "editor.d.ts"), join(target, "editor.d.ts"));
  writeFileSync(join(target, "LICENSES.txt"), licences(Object.keys(made.metafile.inputs)));
} finally {
  rmSync(root, { recursive: true, force: true });
  rmSync(entry, { force: true });
}

/** The licences of the packages that something was taken from, with their versions. */
function licences(inputs) {
  const found = inputs.map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  const names = [...new Set(found.filter((name) => name !== undefined))].sort();
  const parts = names.map((name) => {
    const { version, license } = JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8"));
    const file = readdirSync(join(packages, name)).find((each) => /^licen[cs]e/i.test(each));
    const text = file === undefined ? license : readFileSync(join(packages, name, file), "utf8").trim();
    return `${name} ${version}\n\n${text}\n`;
  });
  return parts.join(`\n${"-".repeat(80)}\n\n`);
}
