// How a file looks: every colour is one of the page's, by day and by night.

import { EditorView, HighlightStyle, tags } from "../vendor/codemirror/editor.js";

export const COLOURS = HighlightStyle.define([
  { tag: known("comment", "meta", "processingInstruction"), color: "var(--code-comment)", fontStyle: "italic" },
  { tag: known("keyword", "modifier", "operatorKeyword", "controlKeyword", "definitionKeyword", "moduleKeyword", "self", "null", "bool", "atom"), color: "var(--code-keyword)" },
  { tag: known("string", "regexp", "character", "attributeValue", "escape", "inserted"), color: "var(--code-string)" },
  { tag: known("number", "unit", "color"), color: "var(--code-number)" },
  { tag: known("typeName", "className", "namespace", "tagName", "labelName"), color: "var(--code-type)" },
  { tag: [...known("macroName", "annotation", "attributeName"), tags.function(tag("variableName")), tags.function(tag("propertyName")), tags.definition(tag("propertyName"))], color: "var(--code-function)" },
  { tag: known("deleted", "invalid"), color: "var(--bad)" },
  { tag: known("heading", "strong"), fontWeight: "bold" },
  { tag: known("emphasis"), fontStyle: "italic" },
  { tag: known("link", "url"), textDecoration: "underline" },
]);

export const LOOK = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--raised)", fontSize: "var(--code-size)" },
  "&.cm-focused": { outline: "3px solid var(--focus)", outlineOffset: "-3px" },
  ".cm-scroller": { fontFamily: "var(--code-font)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { padding: "0.5rem 0 40vh" },
  ".cm-line": { padding: "0 1rem 0 0.75rem" },
  ".cm-gutters": { color: "var(--soft)", backgroundColor: "var(--sunk)", borderRight: "1px solid var(--line)" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "3ch", padding: "0 0.6rem" },
  ".cm-line.host-seen": { boxShadow: "inset 3px 0 0 var(--line)" },
  ".cm-line.host-line": { backgroundColor: "var(--host-line)", boxShadow: "inset 3px 0 0 var(--accent)" },
  ".host-selected": { backgroundColor: "var(--host-selected)" },
  ".host-caret": { display: "inline-block", width: "0", height: "1.3em", verticalAlign: "text-bottom", borderLeft: "2px solid var(--accent)", marginRight: "-2px" },
  ".cm-specialChar": { color: "var(--bad)" },
  ".cm-panels": { color: "var(--ink)", backgroundColor: "var(--sunk)" },
  ".cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panel.cm-search": { display: "flex", flexWrap: "wrap", alignItems: "center", gap: "0.3rem 0.5rem", padding: "0.5rem 3rem 0.5rem 0.75rem", fontFamily: "system-ui, sans-serif" },
  ".cm-panel.cm-search br": { display: "none" },
  ".cm-panel.cm-search label": { display: "inline-flex", alignItems: "center", gap: "0.3rem", fontSize: "0.8125rem" },
  ".cm-panel.cm-search input.cm-textfield": { font: "inherit", fontSize: "0.875rem", color: "var(--ink)", background: "var(--raised)", border: "1px solid var(--line-strong)", borderRadius: "0.4rem", padding: "0.3rem 0.5rem", margin: "0" },
  ".cm-panel.cm-search .cm-button": { font: "inherit", fontSize: "0.8125rem", color: "var(--ink)", background: "var(--raised)", border: "1px solid var(--line-strong)", borderRadius: "0.4rem", padding: "0.3rem 0.6rem", margin: "0" },
  ".cm-panel.cm-search button[name=close]": { position: "absolute", top: "0.35rem", right: "0.5rem", minWidth: "2rem", minHeight: "2rem", color: "var(--soft)", fontSize: "1.25rem", background: "none", border: "0" },
  ".cm-searchMatch": { backgroundColor: "var(--found)" },
  ".cm-searchMatch-selected": { outline: "2px solid var(--accent)" },
});

/**
 * @param {string} name
 * @returns {import("../vendor/codemirror/editor.js").Tag}
 */
function tag(name) {
  const found = tags[name];
  if (found === undefined) throw new Error(`there is no tag ${name}`);
  return found;
}

/** @param {...string} names */
function known(...names) {
  return names.map(tag);
}
