// Prints, for each path on standard input, what TypeScript's own parser reads in that file: every node with its text, without comments.
const ts = require(process.argv[2]);
const fs = require("fs");
const crypto = require("crypto");

function digest(path) {
  const text = fs.readFileSync(path, "utf8");
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  if (file.parseDiagnostics.length > 0) return "-";
  const hash = crypto.createHash("sha256");
  // Directives that the compiler itself reads from comments are part of the program.
  const read = (list) => list.map((one) => one.fileName).join();
  hash.update(JSON.stringify([read(file.referencedFiles), read(file.typeReferenceDirectives), file.checkJsDirective?.enabled,
    (file.commentDirectives ?? []).map((one) => one.type), [...(file.pragmas?.keys() ?? [])], file.hasNoDefaultLib]));
  const visit = (node) => {
    hash.update(`(${node.kind}`);
    const children = node.getChildren(file).filter((child) => child.kind < ts.SyntaxKind.FirstJSDocNode || child.kind > ts.SyntaxKind.LastJSDocNode);
    if (children.length === 0) hash.update(JSON.stringify(node.kind === ts.SyntaxKind.JsxText ? node.getFullText(file) : node.getText(file)));
    for (const child of children) visit(child);
    hash.update(")");
  };
  visit(file);
  return hash.digest("hex");
}

for (const path of fs.readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  let said = "-";
  try { said = digest(path); } catch { /* what the parser cannot read is not judged */ }
  console.log(said);
}
