// A live session as one watches it: its files, the one that is shown, and where the host is.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { Notices } from "../notices.js";
import { Link } from "./link.js";
import { Screen } from "./screen.js";
import { Shown } from "./shown.js";
import { Tabs } from "./tabs.js";
import { Watchers } from "./watchers.js";
import { Words } from "./words.js";

/** @typedef {import("./link.js").Viewer} Viewer */
/** @typedef {import("../../types").LiveMessage} Message */

const NARROW = "(max-width: 40rem)";
const ELSEWHERE = 4409;

/** Tells of `gone` when there is nothing to come back to. */
export class Watch extends EventTarget {
  /**
   * @param {Viewer} viewer
   * @param {import("../session.js").Session | null} session
   */
  constructor(viewer, session) {
    super();
    this.shown = new Shown();
    this.link = new Link(viewer, () => this.shown.place, session);
    this.screen = new Screen();
    this.notices = new Notices();
    this.words = new Words(() => this.link.start(), () => location.assign(location.pathname));
    this.watchers = new Watchers(viewer, session);
    this.tabs = new Tabs((name) => this.#choose(name));
    this.following = true;
    /** @type {string | null} */
    this.file = null;
    /** @type {string | null} the host's file as it was told last */
    this.hostFile = null;
    this.follow = h("button", { type: "button", class: "toggle", "aria-pressed": "true", title: "Go where the host goes", onclick: () => this.#setFollowing(!this.following, true) }, "Follow");
    this.wrapped = h("button", { type: "button", class: "toggle", "aria-pressed": "false", title: "Break long lines", onclick: () => this.#wrap(this.wrapped.ariaPressed !== "true") }, "Wrap");
    this.leave = h("button", { type: "button", class: "quiet", onclick: () => this.link.leave() }, "Leave");
    this.panel = h("div", { class: "panel-of-file", role: "tabpanel", id: "file", "aria-labelledby": "files" }, this.screen.element);
    this.empty = h("div", { class: "empty-session" }, h("p", null, "Connecting…"));
    this.elements = this.#elements();
    this.#wrap(matchMedia(NARROW).matches);
    this.#listen();
    this.link.start();
  }

  #elements() {
    const copy = h("button", { type: "button", class: "tool", hidden: navigator.clipboard === undefined, onclick: () => this.#copy() }, "Copy");
    const find = h("button", { type: "button", class: "tool", onclick: () => this.screen.find() }, icon("search"), h("span", { class: "unseen" }, "Find in the file"));
    this.tools = h("div", { class: "tools", role: "group", "aria-label": "View" }, this.follow, this.wrapped, copy, find);
    return [
      h("a", { class: "skip", href: "#file" }, "Skip to the file"),
      h(
        "header",
        { class: "live-top" },
        h("a", { class: "brand", href: "/", "aria-label": "HiveSync" }, icon("mark")),
        this.words.heading,
        h("span", { class: "grow" }),
        this.watchers.element,
        this.words.pulse,
        this.leave,
      ),
      this.words.banner,
      h("main", { class: "live-main" }, h("div", { class: "live-bar" }, this.tabs.element, this.tabs.all.element, this.tools), this.empty, this.panel),
      h("footer", { class: "live-foot" }, this.words.place),
      this.words.spoken,
      this.notices.element,
    ];
  }

  #listen() {
    const { shown, link, screen } = this;
    link.addEventListener("message", (event) => this.#hear(/** @type {CustomEvent<Message>} */ (event).detail));
    link.addEventListener("lost", () => shown.interrupted());
    link.addEventListener("status", () => {
      this.words.connection(link.status);
      if (link.status === "live") this.leave.hidden = false;
      this.watchers.refresh(link.status);
    });
    link.addEventListener("over", (event) => this.#over(/** @type {CustomEvent<{code: number, reason: string}>} */ (event).detail));
    shown.addEventListener("doubt", () => link.resync());
    shown.addEventListener("files", () => this.#files());
    shown.addEventListener("host", () => this.words.host(shown.host));
    shown.addEventListener("focus", () => this.#focus());
    shown.addEventListener("renamed", (event) => {
      const { name, to } = /** @type {CustomEvent} */ (event).detail;
      if (this.file === name) this.file = to;
      if (this.file === to) this.#open(to);
    });
    shown.addEventListener("text", (event) => {
      const { name } = /** @type {CustomEvent} */ (event).detail;
      const file = shown.files.get(name);
      if (name === this.file && file !== undefined) screen.replace(file.text);
      this.#place();
    });
    shown.addEventListener("edits", (event) => {
      const { name, edits } = /** @type {CustomEvent} */ (event).detail;
      const file = shown.files.get(name);
      if (name !== this.file || file === undefined) return;
      screen.edit(file.text, edits);
      this.#place();
    });
    screen.addEventListener("moved", () => this.#setFollowing(false, false));
  }

  /** @param {Message} message */
  #hear(message) {
    if (message.event_type === "live.viewing") this.words.session(message.payload);
    else if (message.event_type === "live.ended") this.words.ended(message.payload.reason);
    this.shown.hear(message);
    if (message.event_type === "live.snapshot_end") this.#files();
  }

  /** @param {{code: number, reason: string}} end */
  #over({ code, reason }) {
    this.words.over(code, reason);
    this.leave.hidden = true;
    this.watchers.element.hidden = true;
    this.follow.hidden = code !== ELSEWHERE;
    this.#place();
    if (code !== ELSEWHERE) this.dispatchEvent(new Event("gone"));
  }

  /** Which files there are may have changed. */
  #files() {
    const names = [...this.shown.files.keys()];
    const wanted = this.following ? this.shown.focus.file : this.file;
    const file = [wanted, this.file, this.shown.focus.file, names[0]].find((name) => name && this.shown.files.has(name)) ?? null;
    if (file !== this.file) this.#open(file);
    this.#renew();
    if (names.length === 0 && this.shown.place !== null) {
      fill(this.empty, h("p", null, `${this.words.hostName} shows no file at the moment.`));
    }
  }

  /** The host looks elsewhere. */
  #focus() {
    const { shown, following } = this;
    const { file } = shown.focus;
    if (file !== null && file !== this.hostFile && shown.files.has(file)) this.words.hostOpened(file);
    this.hostFile = file;
    if (following && file !== null && file !== this.file && shown.files.has(file)) this.#open(file);
    this.screen.hostAt(shown.focus, following);
    this.#renew();
  }

  /** @param {string | null} name */
  #open(name) {
    this.file = name;
    const file = name === null ? undefined : this.shown.files.get(name);
    if (name === null || file === undefined) this.screen.clear();
    else this.screen.open(name, file.text, file.language);
    this.screen.hostAt(this.shown.focus, this.following);
    this.#renew();
  }

  #renew() {
    const none = this.file === null;
    this.tabs.show([...this.shown.files.keys()], this.file, this.shown.focus.file, this.words.hostName);
    this.panel.hidden = none;
    this.tools?.toggleAttribute("hidden", none);
    this.empty.hidden = !none;
    this.panel.setAttribute("aria-labelledby", this.tabs.idOf(this.file));
    this.#place();
  }

  #place() {
    const file = this.file === null ? undefined : this.shown.files.get(this.file);
    this.words.where(this.file, file?.text.lines.length ?? 0, this.shown.focus);
  }

  /** @param {string} name */
  #choose(name) {
    if (name !== this.shown.focus.file) this.#setFollowing(false, false);
    if (name !== this.file) this.#open(name);
  }

  /**
   * @param {boolean} following
   * @param {boolean} go
   */
  #setFollowing(following, go) {
    if (this.following === following) return;
    this.following = following;
    this.follow.setAttribute("aria-pressed", String(following));
    const { file } = this.shown.focus;
    if (!go || !following || file === null || !this.shown.files.has(file)) return;
    if (file !== this.file) this.#open(file);
    else this.screen.hostAt(this.shown.focus, true);
  }

  /** @param {boolean} wraps */
  #wrap(wraps) {
    this.wrapped.setAttribute("aria-pressed", String(wraps));
    this.screen.wrap(wraps);
  }

  async #copy() {
    const file = this.file === null ? undefined : this.shown.files.get(this.file);
    if (file === undefined) return;
    try {
      await navigator.clipboard.writeText(file.text.toString());
      this.notices.say("The file’s text is copied.");
    } catch {
      this.notices.fail(new Error("The browser does not let this page copy. Select the text and copy it."));
    }
  }
}
