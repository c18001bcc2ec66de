// Every task that meets the filters as one list, in pages, sorted by any column.

import { assigneeMark, dueMark, helpMark, labelChip, priorityMark, stateChip } from "./card.js";
import { fill, h, keyed, soon } from "./dom.js";
import { Filters } from "./filters.js";
import { icon } from "./icons.js";
import { newTask } from "./newtask.js";
import { explained } from "./notices.js";
import { Scope } from "./scope.js";
import { agoElement } from "./time.js";

/** @typedef {import("../types").TaskPage} TaskPage */
/** @typedef {import("../types").TaskCard} Task */
/** @typedef {import("./app.js").Route} Route */
/** @typedef {import("./app.js").EventMessage} EventMessage */

const PAGE = 50;
const PAGE_MAX = 200;
const REFRESH_MS = 150;

/** Column, what it is sorted by, and which way a first click sorts. @type {[string, string, string][]} */
const COLUMNS = [["Title", "title", ""], ["State", "", ""], ["Assignee", "", ""], ["Priority", "priority", "-"], ["Due", "due", ""], ["Changed", "updated", "-"]];

export class List {
  /** @param {Scope} scope */
  constructor(scope) {
    this.scope = scope;
    this.filters = new Filters(scope, { states: true });
    this.wanted = PAGE;
    this.asked = "";
    this.turn = 0;
    this.head = h("tr");
    this.body = h("tbody");
    this.more = h("button", { type: "button", class: "quiet more", hidden: true, onclick: () => this.#more() }, "Show more");
    this.state = h("div", { class: "state", role: "status" });
    this.element = h(
      "div",
      { class: "list-view" },
      h(
        "div",
        { class: "bar" },
        this.filters.element,
        scope.mayWork && h("button", { type: "button", class: "primary", "data-key-new": "", onclick: () => newTask(scope) }, icon("plus"), "New task"),
      ),
      h("div", { class: "card-box table-box" }, h("table", { class: "tasks" }, h("caption", { class: "unseen" }, "Tasks"), h("thead", null, this.head), this.body)),
      this.state,
      this.more,
    );
    this.refresh = soon(() => this.#load(), REFRESH_MS);
  }

  /** @param {Route} route */
  async show(route) {
    this.filters.show(route);
    this.#showHead(route.query.get("sort") ?? "-updated");
    const asked = JSON.stringify([this.filters.wanted, route.query.get("state")]);
    if (asked !== this.asked) {
      this.asked = asked;
      this.wanted = PAGE;
      await this.#load();
    }
    this.scope.mark(this.body);
  }

  /** @param {EventMessage} event */
  hear(event) {
    if (event.event_type.startsWith("task.")) this.refresh();
  }

  renew() {
    this.refresh();
  }

  /** @param {string} sort */
  #showHead(sort) {
    const { router } = this.scope.app;
    fill(
      this.head,
      ...COLUMNS.map(([text, name, first]) => {
        if (name === "") return h("th", { scope: "col" }, text);
        const current = sort.replace("-", "") === name;
        const next = current ? (sort.startsWith("-") ? name : `-${name}`) : first + name;
        const order = current ? (sort.startsWith("-") ? "descending" : "ascending") : null;
        return h("th", { scope: "col", "aria-sort": order }, h("a", { href: router.here({ sort: next }) }, text));
      }),
    );
  }

  async #load() {
    const turn = ++this.turn;
    const { api, router } = this.scope.app;
    try {
      /** @type {Task[]} */
      const tasks = [];
      /** @type {string | null} */
      let cursor = null;
      do {
        const limit = Math.min(PAGE_MAX, this.wanted - tasks.length);
        const query = { ...this.filters.wanted, state: router.route.query.get("state"), limit, cursor };
        /** @type {TaskPage} */
        const page = await api.get(`${this.scope.path}/tasks`, { query, asOf: this.scope.asOf });
        tasks.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor !== null && tasks.length < this.wanted);
      if (turn !== this.turn) return;
      this.scope.learnLabels(tasks);
      this.filters.suggest();
      keyed(this.body, tasks, (task) => task.task_id, (task) => task.version, (task) => this.#row(task));
      this.scope.mark(this.body);
      this.more.hidden = cursor === null;
      fill(this.state, tasks.length === 0 && h("p", { class: "nothing" }, "No task meets these filters."));
    } catch (error) {
      fill(this.state, ...explained(error));
    }
  }

  /** @param {Task} task */
  #row(task) {
    const { scope } = this;
    return h(
      "tr",
      null,
      h(
        "td",
        { class: "main-cell" },
        h("a", { href: scope.taskAddress(task.task_id), "data-task": task.task_id }, task.title),
        task.labels.length > 0 && h("span", { class: "labels" }, ...task.labels.slice(0, 6).map(labelChip)),
        helpMark(scope, task),
      ),
      h("td", null, stateChip(task)),
      h("td", null, assigneeMark(scope, task)),
      h("td", null, priorityMark(task)),
      h("td", null, dueMark(task)),
      h("td", { class: "soft" }, agoElement(task.updated_at)),
    );
  }

  async #more() {
    this.wanted = this.body.rows.length + PAGE;
    await this.#load();
  }
}
