// What can be done with a task now: of the transitions that its state allows, those that the server would not refuse to this
// person. The server decides all the same; where it refuses, it says what is possible.

import { h } from "./dom.js";
import { field, openForm, select } from "./dialog.js";
import { Scope } from "./scope.js";

/** @typedef {import("../types").TaskDetail} TaskDetail */
/** @typedef {import("../types").TaskCard} Task */
/** @typedef {"primary" | "plain" | "quiet" | "danger"} Weight */

/**
 * @typedef {object} Action
 * @property {string} name as the API lists it
 * @property {string} text
 * @property {Weight} weight
 * @property {string} path
 * @property {string} done
 * @property {(scope: Scope, task: Task) => boolean} [may]
 * @property {"reason" | "assignee" | "sure"} [asks]
 * @property {string} [question]
 */

/** @type {Action[]} */
const ACTIONS = [
  {
    name: "complete", text: "Complete", weight: "primary", path: "complete", done: "Completed; it waits for a reviewer.",
  },
  {
    name: "approve", text: "Approve", weight: "primary", path: "approve", done: "Approved.",
    may: (scope, task) => scope.mayReview && !isOwnWork(scope, task),
  },
  {
    name: "deny", text: "Deny", weight: "danger", path: "deny", done: "Denied; the task is open again.",
    may: (scope) => scope.mayReview, asks: "reason", question: "Why is the work not taken?",
  },
  {
    name: "claim_help", text: "I’ll help", weight: "primary", path: "claim-help", done: "You help now, until the time runs out.",
    may: (scope, task) => task.help?.requested_by !== scope.app.me.account_id && task.assignee_id !== scope.app.me.account_id,
  },
  {
    name: "check_in_help", text: "Check in", weight: "plain", path: "check-in", done: "You are still at it; the time begins anew.",
    may: (scope, task) => isHelper(scope, task),
  },
  {
    name: "request_help", text: "Ask for help", weight: "plain", path: "request-help", done: "Your call is in the help queue.",
    asks: "reason", question: "What do you need help with?",
  },
  {
    name: "withdraw_help", text: "Withdraw the call", weight: "plain", path: "withdraw-help", done: "The call is withdrawn.",
    may: (scope, task) => isMine(scope, task.help?.requested_by) || isMine(scope, task.assignee_id) || scope.role === "owner",
  },
  {
    name: "release_help", text: "Give the claim back", weight: "plain", path: "release-help", done: "The call waits again.",
    may: (scope, task) => isHelper(scope, task) || scope.role === "owner",
  },
  {
    name: "reassign", text: "Assign", weight: "quiet", path: "reassign", done: "Assigned.", asks: "assignee",
    may: (scope, task) => task.state !== "completed" || scope.mayReview,
  },
  { name: "archive", text: "Archive", weight: "quiet", path: "archive", done: "Archived.", asks: "sure" },
  { name: "restore", text: "Restore", weight: "primary", path: "restore", done: "Restored." },
];

/**
 * @param {Scope} scope
 * @param {string | null | undefined} accountId
 */
const isMine = (scope, accountId) => accountId === scope.app.me.account_id;

/**
 * @param {Scope} scope
 * @param {Task} task
 */
const isHelper = (scope, task) => isMine(scope, task.help?.helper_id);

/**
 * @param {Scope} scope
 * @param {Task} task
 */
const isOwnWork = (scope, task) =>
  isMine(scope, task.completed_by) && scope.project?.policy.may_approve_own_work === false;

/**
 * The buttons for what can be done now.
 * @param {Scope} scope
 * @param {TaskDetail} detail
 */
export function actionButtons(scope, detail) {
  if (!scope.mayWork) return [];
  return ACTIONS.filter((action) => detail.allowed.includes(action.name) && (action.may?.(scope, detail.task) ?? true)).map((action) =>
    h("button", { type: "button", class: action.weight, onclick: () => begin(scope, detail.task, action) }, action.text),
  );
}

/**
 * Carries a transition out, after asking what it needs.
 * @param {Scope} scope
 * @param {Task} task
 * @param {Action} action
 */
function begin(scope, task, action) {
  const give = (/** @type {unknown} */ body) => scope.app.api.command("POST", `/tasks/${task.task_id}/${action.path}`, body);
  const done = () => scope.app.notices.say(action.done);
  if (action.asks === "reason") {
    const reason = h("textarea", { rows: 4, required: true, maxlength: 10000 });
    openForm(action.text, [field(action.question ?? "Why?", reason)], {
      button: action.text,
      danger: action.weight === "danger",
      act: () => give({ reason: reason.value }).then(done),
    });
  } else if (action.asks === "assignee") {
    const { me, people } = scope.app;
    /** @type {[string, string][]} */
    const choices = scope.workers.map((id) => [id, id === me.account_id ? `${me.name} (you)` : people.name(id)]);
    const assignee = select([["", "Nobody"], ...choices], task.assignee_id ?? "");
    const hint = task.state === "completed" ? "The task was completed; it will be open again." : undefined;
    openForm("Assign the task", [field("To", assignee, hint)], {
      button: "Assign",
      act: () => give({ assignee_id: assignee.value === "" ? null : assignee.value }).then(done),
    });
  } else if (action.asks === "sure") {
    openForm(`${action.text} the task?`, [h("p", null, `“${task.title}” leaves the board. It can be restored as it was.`)], {
      button: action.text,
      act: () => give(undefined).then(done),
    });
  } else {
    scope.app.attempt(() => give(undefined), action.done);
  }
}
