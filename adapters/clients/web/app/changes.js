// What changed between the moment that is looked at and now.

import { stateChip } from "./card.js";
import { fill, h } from "./dom.js";
import { explained } from "./notices.js";
import { Scope } from "./scope.js";
import { PRIORITIES, STATES } from "./states.js";
import { shownDay } from "./time.js";

/** @typedef {import("../types").ChangesPage} ChangesPage */
/** @typedef {import("../types").ChangedTask} Changed */
/** @typedef {import("../types").TaskCard} Task */

const PAGE = 100;

export class Changes {
  /** @param {Scope} scope */
  constructor(scope) {
    this.scope = scope;
    /** @type {string | null} */
    this.cursor = null;
    this.list = h("ul", { class: "changes" });
    this.more = h("button", { type: "button", class: "quiet more", hidden: true, onclick: () => this.#load() }, "Show more");
    this.state = h("div", { class: "state" }, h("p", { class: "soft" }, "Loading…"));
    this.element = h("div", { class: "page" }, this.list, this.state, this.more);
  }

  async show() {
    if (this.list.childElementCount === 0) await this.#load();
    this.scope.mark(this.list);
  }

  async #load() {
    const { scope } = this;
    try {
      const query = { from: scope.asOf, limit: PAGE, cursor: this.cursor };
      /** @type {ChangesPage} */
      const page = await scope.app.api.get(`${scope.path}/changes`, { query });
      this.cursor = page.next_cursor;
      this.list.append(...page.items.map((changed) => this.#item(changed)));
      scope.mark(this.list);
      this.more.hidden = this.cursor === null;
      fill(this.state, this.list.childElementCount === 0 && h("p", { class: "nothing" }, "Nothing has changed since."));
    } catch (error) {
      fill(this.state, ...explained(error));
    }
  }

  /** @param {Changed} changed */
  #item(changed) {
    const { before, after } = changed;
    const task = after ?? before;
    if (task === null) return h("li");
    return h(
      "li",
      { class: "card-box change" },
      h("a", { class: "call-title", href: this.scope.taskAddress(changed.task_id), "data-task": changed.task_id }, task.title),
      before === null || after === null
        ? h("p", null, before === null ? "is new, " : "is gone, ", stateChip(task))
        : h("ul", null, ...this.#differences(before, after).map((text) => h("li", null, ...text))),
    );
  }

  /**
   * @param {Task} before
   * @param {Task} after
   * @returns {(Node | string)[][]}
   */
  #differences(before, after) {
    const { people } = this.scope.app;
    const who = (/** @type {string | null} */ id) => (id === null ? "nobody" : people.element(id));
    /** @type {(Node | string)[][]} */
    const found = [];
    if (before.state !== after.state) found.push([STATES[before.state], " → ", STATES[after.state]]);
    if (before.title !== after.title) found.push(["title was ", h("q", null, before.title)]);
    if (before.assignee_id !== after.assignee_id) found.push(["assignee ", who(before.assignee_id), " → ", who(after.assignee_id)]);
    if (before.priority !== after.priority) found.push([PRIORITIES[before.priority], " → ", PRIORITIES[after.priority]]);
    if (before.due !== after.due) found.push(["due ", before.due === null ? "never" : shownDay(before.due), " → ", after.due === null ? "never" : shownDay(after.due)]);
    if (before.labels.join() !== after.labels.join()) found.push([`labels ${before.labels.join(", ") || "none"} → ${after.labels.join(", ") || "none"}`]);
    if (before.comments !== after.comments) found.push([`${after.comments - before.comments} more comments`]);
    if (found.length === 0) found.push(["its text or its history"]);
    return found;
  }
}
