// The board: a column a state, each read in pages, brought up to date as events come.

import { taskCard } from "./card.js";
import { fill, h, keyed, soon } from "./dom.js";
import { Filters } from "./filters.js";
import { icon } from "./icons.js";
import { newTask } from "./newtask.js";
import { explained } from "./notices.js";
import { Scope } from "./scope.js";
import { BOARD_STATES, STATES } from "./states.js";

/** @typedef {import("../types").TaskPage} TaskPage */
/** @typedef {import("../types").TaskCard} Task */
/** @typedef {import("./states.js").State} State */
/** @typedef {import("./app.js").Route} Route */
/** @typedef {import("./app.js").EventMessage} EventMessage */

const PAGE = 30;
const PAGE_MAX = 200;
const REFRESH_MS = 120;

export class Board {
  /** @param {Scope} scope */
  constructor(scope) {
    this.scope = scope;
    this.filters = new Filters(scope, { states: false });
    this.columns = BOARD_STATES.map((state) => new Column(scope, state, this.filters));
    this.asked = "";
    this.trouble = h("div", { class: "state", role: "alert" });
    this.element = h(
      "div",
      { class: "board-view" },
      h(
        "div",
        { class: "bar" },
        this.filters.element,
        scope.mayWork && h("button", { type: "button", class: "primary", "data-key-new": "", onclick: () => newTask(scope) }, icon("plus"), "New task"),
      ),
      this.trouble,
      h("div", { class: "board" }, ...this.columns.map((column) => column.element)),
    );
    this.refresh = soon(() => this.#load(false), REFRESH_MS);
  }

  /** @param {Route} route */
  async show(route) {
    this.filters.show(route);
    const asked = JSON.stringify(this.filters.wanted);
    if (asked !== this.asked) {
      this.asked = asked;
      for (const column of this.columns) column.reset();
      await this.#load(true);
    }
    this.scope.mark(this.element);
  }

  /** @param {EventMessage} event */
  hear(event) {
    if (event.event_type.startsWith("task.")) this.refresh();
  }

  renew() {
    this.refresh();
  }

  /** @param {boolean} first */
  async #load(first) {
    try {
      await Promise.all(this.columns.map((column) => column.load(first)));
      fill(this.trouble);
      this.filters.suggest();
      this.scope.mark(this.element);
    } catch (error) {
      fill(this.trouble, ...explained(error));
    }
  }
}

class Column {
  /**
   * @param {Scope} scope
   * @param {State} state
   * @param {Filters} filters
   */
  constructor(scope, state, filters) {
    this.scope = scope;
    this.state = state;
    this.filters = filters;
    this.wanted = PAGE;
    this.asked = 0;
    const headingId = `column-${state}`;
    this.count = h("span", { class: "count" });
    this.list = h("ul", { class: "cards", "aria-labelledby": headingId });
    this.more = h("button", { type: "button", class: "quiet more", hidden: true, onclick: () => this.#more() }, "Show more");
    this.empty = h("p", { class: "nothing" });
    this.element = h(
      "section",
      { class: `column ${state}` },
      h("h2", { id: headingId }, h("span", { class: "state-dot" }), STATES[state], this.count),
      this.list,
      this.empty,
      this.more,
    );
  }

  reset() {
    this.wanted = PAGE;
  }

  /** @param {boolean} first whether this is another question than before */
  async load(first) {
    const asked = ++this.asked;
    if (first) this.element.setAttribute("aria-busy", "true");
    /** @type {Task[]} */
    const tasks = [];
    /** @type {string | null} */
    let cursor = null;
    do {
      const limit = Math.min(PAGE_MAX, this.wanted - tasks.length);
      const query = { ...this.filters.wanted, state: this.state, limit, cursor };
      /** @type {TaskPage} */
      const page = await this.scope.app.api.get(`${this.scope.path}/tasks`, { query, asOf: this.scope.asOf });
      tasks.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor !== null && tasks.length < this.wanted);
    if (asked !== this.asked) return;
    this.scope.learnLabels(tasks);
    const changed = keyed(this.list, tasks, (task) => task.task_id, (task) => task.version, (task) => taskCard(this.scope, task));
    if (!first) for (const key of changed) this.list.querySelector(`[data-key="${key}"]`)?.classList.add("fresh");
    this.count.textContent = `${tasks.length}${cursor === null ? "" : "+"}`;
    this.empty.textContent = tasks.length === 0 ? "Nothing here" : "";
    this.more.hidden = cursor === null;
    this.element.removeAttribute("aria-busy");
  }

  async #more() {
    this.wanted = this.list.childElementCount + PAGE;
    await this.scope.app.attempt(() => this.load(false));
  }
}
