// The project that one looks at, what one is in it, and at which moment one looks.

import { App } from "./app.js";

/** @typedef {import("../types").ShownProject} Project */
/** @typedef {import("../types").TaskCard} Task */

export class Scope {
  /**
   * @param {App} app
   * @param {string} id
   */
  constructor(app, id) {
    this.app = app;
    this.id = id;
    /** @type {Project | null} */
    this.project = null;
    /** Labels that were seen, for suggestions. @type {Set<string>} */
    this.labels = new Set();
  }

  get path() {
    return `/projects/${this.id}`;
  }

  /** The moment that is looked at, as the API takes it; null is now. */
  get asOf() {
    return this.app.asOf;
  }

  get members() {
    return this.project?.members ?? [];
  }

  get role() {
    return this.members.find((member) => member.account_id === this.app.me.account_id)?.role ?? null;
  }

  /** Whether one may change anything here: not as an auditor, and never in the past. */
  get mayWork() {
    return this.asOf === null && (this.role === "owner" || this.role === "member");
  }

  get mayManage() {
    return this.asOf === null && this.role === "owner";
  }

  get mayReview() {
    return this.mayWork && (this.role === "owner" || this.project?.policy.approvers === "members");
  }

  /** Who may be given a task. */
  get workers() {
    return this.members.filter((member) => member.role !== "auditor").map((member) => member.account_id);
  }

  async load() {
    this.project = await this.app.api.get(this.path, { asOf: this.asOf });
  }

  /** @param {Task[]} tasks */
  learnLabels(tasks) {
    for (const task of tasks) for (const label of task.labels) this.labels.add(label);
  }

  /**
   * The address of a task beside whatever is shown now.
   * @param {string} taskId
   */
  taskAddress(taskId) {
    return this.app.router.here({ task: taskId });
  }

  /**
   * Sees to it that links to tasks keep the filters as they are now, and that the open one is marked.
   * @param {HTMLElement} root
   */
  mark(root) {
    const open = this.app.router.route.query.get("task");
    for (const link of root.querySelectorAll("a[data-task]")) {
      const taskId = link.getAttribute("data-task") ?? "";
      link.setAttribute("href", this.taskAddress(taskId));
      if (taskId === open) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
}
