// A task as a card, and the small marks that cards, rows and the panel share.

import { h, hue } from "./dom.js";
import { icon } from "./icons.js";
import { Scope } from "./scope.js";
import { PRIORITIES, STATES } from "./states.js";
import { leftElement, shownDay, waitingElement } from "./time.js";

/** @typedef {import("../types").TaskCard} Task */

const LABELS_SHOWN = 4;

/**
 * @param {Scope} scope
 * @param {Task} task
 */
export function taskCard(scope, task) {
  const shown = task.labels.slice(0, LABELS_SHOWN);
  const more = task.labels.length - shown.length;
  return h(
    "li",
    null,
    h(
      "a",
      { class: `card priority-${task.priority}`, href: scope.taskAddress(task.task_id), "data-task": task.task_id },
      h("span", { class: "card-title" }, task.title),
      task.labels.length > 0 && h("span", { class: "labels" }, ...shown.map(labelChip), more > 0 && h("span", { class: "soft" }, `+${more}`)),
      helpMark(scope, task),
      h(
        "span",
        { class: "card-foot" },
        priorityMark(task),
        dueMark(task),
        task.comments > 0 && h("span", { class: "mark", title: "Comments" }, icon("comment"), task.comments, h("span", { class: "unseen" }, " comments")),
        h("span", { class: "grow" }),
        assigneeMark(scope, task),
      ),
    ),
  );
}

/** @param {string} label */
export function labelChip(label) {
  return h("span", { class: `label ${hue(label)}` }, label);
}

/** @param {Task} task */
export function stateChip(task) {
  return h("span", { class: `state-chip ${task.state}` }, STATES[task.state]);
}

/** @param {Task} task */
export function priorityMark(task) {
  return task.priority !== "none" && h("span", { class: `mark priority ${task.priority}` }, PRIORITIES[task.priority]);
}

/** @param {Task} task */
export function dueMark(task) {
  if (task.due === null) return false;
  const done = task.state === "completed" || task.state === "approved" || task.state === "archived";
  const late = !done && new Date(`${task.due}T23:59:59`).getTime() < Date.now();
  return h("span", { class: `mark ${late ? "late" : ""}` }, icon("calendar"), late ? "overdue, " : "due ", shownDay(task.due));
}

/**
 * @param {Scope} scope
 * @param {Task} task
 */
export function assigneeMark(scope, task) {
  if (task.assignee_id !== null) return scope.app.people.avatar(task.assignee_id);
  const outside = task.assignees[0];
  return outside !== undefined && h("span", { class: "mark outside", title: "As the other system named them" }, icon("person"), outside);
}

/**
 * @param {Scope} scope
 * @param {Task} task
 */
export function helpMark(scope, task) {
  if (task.help === null) return false;
  const { help } = task;
  if (help.helper_id === null) {
    return h("span", { class: "help-mark wanted" }, icon("hand"), "waiting ", waitingElement(help.requested_at));
  }
  return h(
    "span",
    { class: "help-mark" },
    icon("hand"),
    scope.app.people.element(help.helper_id),
    " · ",
    help.lease_expires_at !== null && leftElement(help.lease_expires_at),
  );
}
