// Who watches, for members of the project; guests are told nothing about each other.

import { Api } from "../api.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";

/** @typedef {import("./link.js").Viewer} Viewer */
/** @typedef {import("../../types").ShownLive} ShownLive */
/** @typedef {import("../../types").ProjectPage} ProjectPage */

const EVERY_MS = 10_000;

export class Watchers {
  /**
   * @param {Viewer} viewer
   * @param {import("../session.js").Session | null} session
   */
  constructor(viewer, session) {
    this.projectId = viewer.project_id;
    /** @type {boolean | null} */
    this.member = null;
    this.path = `/live-sessions/${viewer.session_id}`;
    this.api = session === null ? null : new Api(session);
    this.names = h("ul", { class: "watchers-names popup" });
    this.count = h("span", null, "0");
    this.element = h(
      "details",
      { class: "watchers", hidden: true },
      h("summary", { title: "Who watches" }, icon("person"), this.count, h("span", { class: "unseen" }, " watching")),
      this.names,
    );
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {import("./link.js").Status} status */
  async refresh(status) {
    clearTimeout(this.timer);
    if (this.api === null || status !== "live") return;
    try {
      if (!(await this.#isMember())) {
        this.api = null;
        return;
      }
      /** @type {ShownLive} */
      const session = await this.api.get(this.path);
      const here = session.viewers.filter(({ status: is }) => is === "watching" || is === "away");
      this.count.textContent = String(here.length);
      fill(this.names, ...here.map((one) => h("li", null, one.name, one.status === "away" && h("span", { class: "soft" }, " (away)"))));
      this.element.hidden = false;
    } catch {
      // It is asked again.
    }
    this.timer = setTimeout(() => (document.hidden ? undefined : this.refresh(status)), EVERY_MS);
  }

  /** Whether the person belongs to the project; who is asked by an invite alone does not. */
  async #isMember() {
    if (this.member === null && this.api !== null) {
      /** @type {ProjectPage} */
      const page = await this.api.get("/projects", { query: { limit: 200 } });
      this.member = page.items.some((project) => project.project_id === this.projectId);
    }
    return this.member === true;
  }
}
