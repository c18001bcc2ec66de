// What people write, with the common signs of Markdown, as elements. No HTML passes: text becomes text.

import { h } from "./dom.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*(\S*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const BULLET = /^ {0,6}(?:[-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const INLINE = new RegExp(
  [
    "(`+)([^`](?:[\\s\\S]*?[^`])?)\\1(?!`)",
    "!?\\[([^\\]\\n]{0,500})\\]\\((https?://[^\\s)]{1,2000})(?:\\s+\"[^\"]*\")?\\)",
    "(https?://[^\\s<>\"')\\]]{1,2000})",
    "\\*\\*([^*\\n]{1,1000})\\*\\*",
    "(?<![\\p{L}\\p{N}_*])[*_]([^*_\\n]{1,1000})[*_](?![\\p{L}\\p{N}_*])",
  ].join("|"),
  "gu",
);
const LINES_MAX = 3000;

/**
 * @param {string} text
 * @returns {HTMLElement}
 */
export function markdown(text) {
  const all = text.replaceAll("\r\n", "\n").replace(/<!--[\s\S]*?-->/g, "").split("\n");
  const lines = all.slice(0, LINES_MAX);
  const root = h("div", { class: "prose" });
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const fence = FENCE.exec(line);
    if (line.trim() === "") at += 1;
    else if (fence !== null) at = code(root, lines, at, fence[1] ?? "```");
    else if (RULE.test(line)) {
      root.append(h("hr"));
      at += 1;
    } else if (HEADING.test(line)) {
      root.append(h("p", { class: "prose-heading" }, ...inline(HEADING.exec(line)?.[2] ?? "")));
      at += 1;
    } else if (BULLET.test(line)) at = list(root, lines, at);
    else if (QUOTE.test(line)) at = quote(root, lines, at);
    else at = paragraph(root, lines, at);
  }
  if (all.length > LINES_MAX) root.append(h("pre", { tabindex: 0 }, all.slice(LINES_MAX).join("\n")));
  return root;
}

/**
 * @param {HTMLElement} root
 * @param {string[]} lines
 * @param {number} at
 * @param {string} fence
 */
function code(root, lines, at, fence) {
  let end = at + 1;
  while (end < lines.length && !(lines[end] ?? "").trim().startsWith(fence)) end += 1;
  // A long line scrolls by keyboard too.
  root.append(h("pre", { tabindex: 0 }, lines.slice(at + 1, end).join("\n")));
  return end + 1;
}

/**
 * @param {HTMLElement} root
 * @param {string[]} lines
 * @param {number} at
 */
function list(root, lines, at) {
  const made = h(/^ {0,6}\d/.test(lines[at] ?? "") ? "ol" : "ul");
  while (at < lines.length) {
    const found = BULLET.exec(lines[at] ?? "");
    if (found === null) break;
    at += 1;
    let text = found[1] ?? "";
    while (at < lines.length && /^\s{2,}\S/.test(lines[at] ?? "") && !BULLET.test(lines[at] ?? "")) {
      text += `\n${(lines[at] ?? "").trim()}`;
      at += 1;
    }
    const ticked = /^\[([ xX])\]\s+(.*)$/s.exec(text);
    if (ticked === null) made.append(h("li", null, ...inline(text)));
    else made.append(h("li", { class: "tick" }, ticked[1] === " " ? "☐ " : "☑ ", ...inline(ticked[2] ?? "")));
  }
  root.append(made);
  return at;
}

/**
 * @param {HTMLElement} root
 * @param {string[]} lines
 * @param {number} at
 */
function quote(root, lines, at) {
  const quoted = [];
  while (at < lines.length && QUOTE.test(lines[at] ?? "")) quoted.push(QUOTE.exec(lines[at++] ?? "")?.[1] ?? "");
  root.append(h("blockquote", null, h("p", null, ...inline(quoted.join("\n")))));
  return at;
}

/**
 * @param {HTMLElement} root
 * @param {string[]} lines
 * @param {number} at
 */
function paragraph(root, lines, at) {
  const text = [];
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (line.trim() === "" || FENCE.test(line) || HEADING.test(line) || (text.length > 0 && BULLET.test(line))) break;
    text.push(line);
    at += 1;
  }
  root.append(h("p", null, ...inline(text.join("\n"))));
  return at;
}

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
function inline(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    parts.push(text.slice(from, found.index));
    from = found.index + found[0].length;
    const [, , code, label, target, bare, strong, emphasis] = found;
    if (code !== undefined) parts.push(h("code", null, code));
    else if (target !== undefined) parts.push(link(target, label?.replaceAll("`", "") || target));
    else if (bare !== undefined) parts.push(link(bare, bare));
    else if (strong !== undefined) parts.push(h("strong", null, strong));
    else parts.push(h("em", null, emphasis ?? ""));
  }
  parts.push(text.slice(from));
  return parts;
}

/**
 * @param {string} target
 * @param {string} text
 */
function link(target, text) {
  return h("a", { href: target, target: "_blank", rel: "noopener noreferrer nofollow" }, text);
}
