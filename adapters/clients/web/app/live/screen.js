// One file on the screen: only the lines that can be seen are drawn, and nothing but what the host did changes them.

import {
  Annotation, ChangeSet, Compartment, Decoration, EditorState, EditorView, LANGUAGES, StateEffect, StateField, Text, WidgetType,
  highlightSpecialChars, keymap, lineNumbers, openSearchPanel, search, searchKeymap, standardKeymap, syntaxHighlighting,
} from "../vendor/codemirror/editor.js";
import { languageOf } from "./languages.js";
import { COLOURS, LOOK } from "./look.js";

/** @typedef {import("./text.js").Edit} Edit */
/** @typedef {import("./text.js").LiveText} LiveText */
/** @typedef {import("../../types").Focus} Focus */
/** @typedef {import("../../types").Position} Position */
/** @typedef {import("../vendor/codemirror/editor.js").Extension} Extension */
/** @typedef {import("../vendor/codemirror/editor.js").DecorationSet} DecorationSet */

const EDITS_MAX = 2000;
const MARGIN_LINES = 2;
const TOP_MARGIN_PX = 4;

/** @type {ReturnType<typeof Annotation.define<boolean>>} */
const fromHost = Annotation.define();

/** @type {import("../vendor/codemirror/editor.js").StateEffectType<DecorationSet>} */
const hostIs = StateEffect.define();

/** @type {StateField<DecorationSet>} */
const hostMarks = StateField.define({
  create: () => Decoration.none,
  update: (marks, transaction) => {
    const told = transaction.effects.find((effect) => effect.is(hostIs));
    return told === undefined ? marks.map(transaction.changes) : /** @type {DecorationSet} */ (told.value);
  },
  provide: (field) => EditorView.decorations.from(field),
});

class Caret extends WidgetType {
  toDOM() {
    const caret = document.createElement("span");
    caret.className = "host-caret";
    caret.setAttribute("aria-hidden", "true");
    return caret;
  }

  /** @override */
  eq() {
    return true;
  }
}

const SELECTED = Decoration.mark({ class: "host-selected" });
const CARET = Decoration.widget({ widget: new Caret(), side: 1 });
const LINE = Decoration.line({ class: "host-line" });
const SEEN = Decoration.line({ class: "host-seen" });

/** Tells of `moved` when the person who watches looks elsewhere. */
export class Screen extends EventTarget {
  constructor() {
    super();
    this.element = document.createElement("div");
    this.element.className = "screen";
    const root = this.element.attachShadow({ mode: "open" });
    this.wrapping = new Compartment();
    this.wraps = false;
    this.language = new Compartment();
    /** @type {LiveText | null} */
    this.text = null;
    this.name = "";
    /** @type {Edit[]} */
    this.waiting = [];
    this.stale = false;
    this.frame = 0;
    /** @type {(() => void) | null} what to do when everything that waits is shown */
    this.then = null;
    this.view = new EditorView({ parent: root, root, state: this.#state("", "") });
    this.#watchThePerson();
    document.addEventListener("visibilitychange", () => document.hidden || this.#later());
  }

  /**
   * Shows a file.
   * @param {string} name
   * @param {LiveText} text
   * @param {string} language as the host calls it
   */
  open(name, text, language) {
    this.name = name;
    this.text = text;
    this.waiting = [];
    this.stale = false;
    this.view.setState(this.#state(text.shown, name));
    this.view.scrollDOM.scrollTop = 0;
    this.#load(name, language);
  }

  /** Nothing is shown any more. */
  clear() {
    this.text = null;
    this.name = "";
    this.waiting = [];
    this.view.setState(this.#state("", ""));
  }

  /**
   * The text is another one.
   * @param {LiveText} text
   */
  replace(text) {
    this.text = text;
    this.stale = true;
    this.#later();
  }

  /**
   * @param {LiveText} text as the edits have left it
   * @param {Edit[]} edits
   */
  edit(text, edits) {
    this.text = text;
    if (this.waiting.length + edits.length > EDITS_MAX) this.stale = true;
    else this.waiting.push(...edits);
    this.#later();
  }

  /**
   * Shows where the host is, and goes there where the person wants to follow.
   * @param {Focus} focus
   * @param {boolean} follow
   */
  hostAt(focus, follow) {
    this.then = () => {
      this.view.dispatch({ effects: hostIs.of(this.#marks(focus)) });
      if (follow) this.#follow(focus);
    };
    this.#later();
  }

  /** @param {boolean} wraps */
  wrap(wraps) {
    this.wraps = wraps;
    this.view.dispatch({ effects: this.wrapping.reconfigure(wraps ? EditorView.lineWrapping : []) });
  }

  find() {
    openSearchPanel(this.view);
  }

  /**
   * @param {string} text
   * @param {string} name
   */
  #state(text, name) {
    return EditorState.create({
      doc: Text.of(text.split("\n")),
      extensions: [
        lineNumbers(),
        highlightSpecialChars(),
        search({ top: true }),
        keymap.of([...searchKeymap, ...standardKeymap]),
        EditorState.readOnly.of(true),
        EditorView.editable.of(false),
        EditorState.changeFilter.of((transaction) => transaction.annotation(fromHost) === true),
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": `Text of ${name}`, "aria-readonly": "true", translate: "no" }),
        hostMarks,
        this.wrapping.of(this.wraps ? EditorView.lineWrapping : []),
        this.language.of([]),
        syntaxHighlighting(COLOURS),
        LOOK,
      ],
    });
  }

  /**
   * @param {string} name
   * @param {string} called
   */
  async #load(name, called) {
    const language = languageOf(name, called, LANGUAGES);
    const load = language === null ? undefined : LANGUAGES[language];
    if (load === undefined) return;
    try {
      const loaded = await load();
      if (this.name === name) this.view.dispatch({ effects: this.language.reconfigure(loaded) });
    } catch {
      // The text is shown without colours where they cannot be fetched.
    }
  }

  #later() {
    if (this.frame !== 0 || document.hidden) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.#draw();
    });
  }

  /** Brings the screen up to date: one change of it, however many the host made meanwhile. */
  #draw() {
    if (this.text !== null) {
      const changes = this.stale ? this.#difference(this.text.shown) : this.#composed();
      this.waiting = [];
      this.stale = false;
      if (!changes.empty) this.view.dispatch({ changes, annotations: fromHost.of(true) });
    }
    const { then } = this;
    this.then = null;
    then?.();
  }

  #composed() {
    let { doc } = this.view.state;
    let all = ChangeSet.empty(doc.length);
    for (const edit of this.waiting) {
      const from = doc.line(edit.fromLine + 1).from + edit.fromCharacter;
      const to = doc.line(edit.toLine + 1).from + edit.toCharacter;
      const one = ChangeSet.of({ from, to, insert: Text.of(edit.insert.split("\n")) }, doc.length);
      doc = one.apply(doc);
      all = all.compose(one);
    }
    return all;
  }

  /** @param {string} text */
  #difference(text) {
    const before = this.view.state.doc.toString();
    const shorter = Math.min(before.length, text.length);
    let start = 0;
    while (start < shorter && before.charCodeAt(start) === text.charCodeAt(start)) start += 1;
    let end = 0;
    while (end < shorter - start && before.charCodeAt(before.length - 1 - end) === text.charCodeAt(text.length - 1 - end)) end += 1;
    const insert = Text.of(text.slice(start, text.length - end).split("\n"));
    if (start === before.length && start === text.length) return ChangeSet.empty(before.length);
    return ChangeSet.of({ from: start, to: before.length - end, insert }, before.length);
  }

  /** @param {Position} position */
  #offset({ line, character }) {
    const { doc } = this.view.state;
    if (line >= doc.lines) return doc.length;
    const { from, to } = doc.line(line + 1);
    return Math.min(from + character, to);
  }

  /** @param {Focus} focus */
  #marks({ file, selections, visible }) {
    if (file !== this.name) return Decoration.none;
    const { doc } = this.view.state;
    const marks = selections.flatMap(({ start, end }) => {
      const [from, to] = [this.#offset(start), this.#offset(end)];
      const own = [LINE.range(doc.lineAt(to).from), CARET.range(to)];
      return to > from ? [...own, SELECTED.range(from, to)] : own;
    });
    if (visible !== null) {
      const last = Math.min(visible.end.line, doc.lines - 1, visible.start.line + 500);
      for (let line = visible.start.line; line <= last; line++) marks.push(SEEN.range(doc.line(line + 1).from));
    }
    return Decoration.set(marks, true);
  }

  /**
   * Goes where the host is: its first visible line comes first, unless what it does would be out of sight then.
   * @param {Focus} focus
   */
  #follow({ file, selections, visible }) {
    if (file !== this.name) return;
    const { view } = this;
    const head = selections[0] === undefined ? null : this.#offset(selections[0].end);
    const first = visible === null ? null : this.#offset({ line: visible.start.line, character: 0 });
    const yMargin = MARGIN_LINES * view.defaultLineHeight;
    if (first === null) {
      if (head !== null) view.dispatch({ effects: EditorView.scrollIntoView(head, { y: "nearest", yMargin }) });
      return;
    }
    const below = head === null ? 0 : view.lineBlockAt(head).bottom - view.lineBlockAt(first).top;
    const hostSees = selections[0] !== undefined && visible !== null && selections[0].end.line <= visible.end.line;
    const isOut = hostSees && below > view.scrollDOM.clientHeight - yMargin;
    if (isOut && head !== null) view.dispatch({ effects: EditorView.scrollIntoView(head, { y: "center" }) });
    else view.dispatch({ effects: EditorView.scrollIntoView(first, { y: "start", yMargin: TOP_MARGIN_PX }) });
  }

  #watchThePerson() {
    const moved = () => this.dispatchEvent(new Event("moved"));
    const scroller = this.view.scrollDOM;
    scroller.addEventListener("wheel", moved, { passive: true });
    scroller.addEventListener("touchmove", moved, { passive: true });
    scroller.addEventListener("pointerdown", (event) => event.pointerType === "mouse" && moved());
    this.view.dom.addEventListener("keydown", (event) => /^(Arrow|Page|Home|End)/.test(event.key) && moved());
  }
}
