// One task, beside whatever else is shown: what it says, how it stands, what can be done, what was said, and why.

import { actionButtons } from "./actions.js";
import { dueMark, helpMark, labelChip, priorityMark, stateChip } from "./card.js";
import { fill, h, soon } from "./dom.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { editTask } from "./newtask.js";
import { explained } from "./notices.js";
import { Scope } from "./scope.js";
import { agoElement, shownMinute } from "./time.js";
import { Why } from "./why.js";

/** @typedef {import("../types").TaskDetail} TaskDetail */
/** @typedef {import("../types").ShownComment} Comment */
/** @typedef {import("../types").CommentPage} CommentPage */
/** @typedef {import("./app.js").EventMessage} EventMessage */

const REFRESH_MS = 100;

export class TaskPanel {
  /** @param {Scope} scope */
  constructor(scope) {
    this.scope = scope;
    /** @type {string | null} */
    this.taskId = null;
    /** @type {TaskDetail | null} */
    this.detail = null;
    /** @type {HTMLElement | null} */
    this.cameFrom = null;
    this.why = new Why(scope);
    this.heading = h("h2", { tabindex: -1, class: "task-title" });
    this.head = h("div", { class: "task-head" });
    this.actions = h("div", { class: "actions", role: "group", "aria-label": "What can be done now" });
    this.body = h("div");
    this.comments = h("ol", { class: "comments" });
    this.saying = this.#commentForm();
    this.reasons = h("details", { class: "why" }, h("summary", null, h("h3", null, "Why is it in this state?")), this.why.element);
    this.reasons.addEventListener("toggle", () => this.#showWhy());
    this.state = h("div", { class: "state" });
    this.content = h(
      "div",
      { class: "task-content" },
      this.heading,
      this.actions,
      this.body,
      this.reasons,
      h("h3", null, "Comments"),
      this.comments,
      this.saying,
    );
    const close = h("a", { class: "icon-button", href: "#", "aria-label": "Close the task", "data-key-close": "" }, icon("close"));
    close.addEventListener("focus", () => close.setAttribute("href", scope.app.router.here({ task: null })));
    close.addEventListener("click", (event) => {
      event.preventDefault();
      scope.app.router.go(scope.app.router.here({ task: null }));
    });
    const top = h("div", { class: "panel-top" }, this.head, close);
    this.element = h("aside", { class: "panel", hidden: true, "aria-label": "Task" }, top, this.state, this.content);
    this.refresh = soon(() => this.#load(), REFRESH_MS);
  }

  /**
   * @param {string | null} taskId
   * @param {boolean} moved whether the moment that is looked at is another one
   */
  async show(taskId, moved) {
    if (taskId === this.taskId && !moved) return;
    const before = this.taskId;
    this.taskId = taskId;
    this.element.hidden = taskId === null;
    this.element.parentElement?.classList.toggle("with-panel", taskId !== null);
    if (taskId === null) {
      this.#giveFocusBack(before);
      return;
    }
    if (taskId !== before) {
      if (before === null) this.cameFrom = document.activeElement instanceof HTMLElement ? document.activeElement : null;
      this.detail = null;
      this.content.hidden = true;
      this.reasons.open = false;
      fill(this.head);
      fill(this.state, h("p", { class: "soft" }, "Loading…"));
    }
    await this.#load();
    if (taskId !== before) {
      this.element.scrollTo(0, 0);
      this.heading.focus({ preventScroll: true });
    }
  }

  /**
   * To where one came from, or to the task's card where that is another element by now.
   * @param {string | null} taskId
   */
  #giveFocusBack(taskId) {
    const link = document.querySelector(`a[data-task="${CSS.escape(taskId ?? "")}"]`);
    const target = this.cameFrom?.isConnected && this.cameFrom !== document.body ? this.cameFrom : link;
    if (target instanceof HTMLElement) target.focus({ preventScroll: true });
  }

  /** @param {EventMessage} event */
  hear(event) {
    if (event.stream_id === this.taskId) this.refresh();
  }

  renew() {
    if (this.taskId !== null) this.refresh();
  }

  /** Shows anew what depends on the project: roles and policy. */
  redraw() {
    if (this.detail !== null) this.#draw(this.detail, [...this.detail.comments]);
  }

  leave() {
    this.taskId = null;
  }

  async #load() {
    const { taskId, scope } = this;
    if (taskId === null) return;
    try {
      /** @type {TaskDetail} */
      const detail = await scope.app.api.get(`/tasks/${taskId}`, { asOf: scope.asOf });
      const comments = [...detail.comments];
      let cursor = detail.next_comments;
      while (cursor !== null) {
        /** @type {CommentPage} */
        const page = await scope.app.api.get(`/tasks/${taskId}/comments`, { query: { cursor, limit: 200 }, asOf: scope.asOf });
        comments.push(...page.items);
        cursor = page.next_cursor;
      }
      if (taskId !== this.taskId) return;
      this.detail = { ...detail, comments };
      this.#draw(detail, comments);
      this.#showWhy();
    } catch (error) {
      if (taskId !== this.taskId) return;
      this.content.hidden = true;
      fill(this.state, ...explained(error));
    }
  }

  /**
   * @param {TaskDetail} detail
   * @param {Comment[]} comments
   */
  #draw(detail, comments) {
    const { scope } = this;
    const { task } = detail;
    const mayEdit = scope.mayWork && detail.allowed.includes("edit");
    const focused = this.actions.contains(document.activeElement) ? document.activeElement?.textContent : null;
    fill(this.state);
    this.content.hidden = false;
    this.heading.textContent = task.title;
    fill(this.head, stateChip(task), priorityMark(task), dueMark(task), ...task.labels.map(labelChip));
    fill(
      this.actions,
      ...actionButtons(scope, detail),
      mayEdit && h("button", { type: "button", class: "quiet", onclick: () => editTask(scope, detail) }, icon("edit"), "Edit"),
    );
    if (focused !== null) this.#focusAction(focused ?? "");
    fill(
      this.body,
      helpBox(scope, detail),
      task.denied_reason !== null && h("div", { class: "box bad" }, h("strong", null, "The work was not taken"), markdown(task.denied_reason)),
      detail.text.description.trim() === "" ? h("p", { class: "nothing" }, "No description") : markdown(detail.text.description),
      this.#facts(detail),
    );
    fill(this.comments, ...comments.map((comment) => this.#comment(comment)));
    this.saying.hidden = !(scope.mayWork && detail.allowed.includes("comment"));
  }

  /** @param {string} text */
  #focusAction(text) {
    const buttons = [...this.actions.querySelectorAll("button")];
    const same = buttons.find((button) => button.textContent === text) ?? buttons[0];
    if (same === undefined) this.heading.focus({ preventScroll: true });
    else same.focus({ preventScroll: true });
  }

  /** @param {TaskDetail} detail */
  #facts(detail) {
    const { people } = this.scope.app;
    const { task } = detail;
    /** @type {[string, (Node | string)[]][]} */
    const facts = [];
    if (task.assignee_id !== null) facts.push(["Assignee", [people.element(task.assignee_id)]]);
    else facts.push(["Assignee", [task.assignees.length > 0 ? `${task.assignees.join(", ")} (not here)` : "nobody"]]);
    facts.push(["Made", [shownMinute(task.created_at), ...(task.created_by === null ? [] : [" by ", people.element(task.created_by)])]]);
    if (task.completed_at !== null) facts.push(["Completed", [shownMinute(task.completed_at), ...(task.completed_by === null ? [] : [" by ", people.element(task.completed_by)])]]);
    if (task.approved_at !== null) facts.push(["Approved", [shownMinute(task.approved_at), ...(task.approved_by === null ? [] : [" by ", people.element(task.approved_by)])]]);
    const { source } = task;
    if (source !== null) {
      const name = `${source.system} ${source.external_id}`;
      const web = source.url !== null && /^https?:/.test(source.url);
      facts.push(["From", [web ? h("a", { href: source.url, target: "_blank", rel: "noopener noreferrer" }, name) : name, source.author === null ? "" : ` by ${source.author}`]]);
    }
    return h("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, ...value)]));
  }

  /** @param {Comment} comment */
  #comment(comment) {
    const { people } = this.scope.app;
    return h(
      "li",
      { class: "comment" },
      people.decoration(comment.author_id),
      h("div", null, h("p", { class: "comment-head" }, people.element(comment.author_id), " ", h("span", { class: "soft" }, agoElement(comment.created_at))), markdown(comment.text)),
    );
  }

  #commentForm() {
    const text = h("textarea", { rows: 3, required: true, maxlength: 65536, "aria-label": "Your comment", placeholder: "Say something" });
    const button = h("button", { type: "submit", class: "plain" }, "Comment");
    return h(
      "form",
      {
        class: "comment-form",
        onsubmit: async (/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          if (text.value.trim() === "" || this.taskId === null) return;
          button.disabled = true;
          const path = `/tasks/${this.taskId}/comments`;
          if (await this.scope.app.attempt(() => this.scope.app.api.command("POST", path, { text: text.value }))) {
            text.value = "";
            this.refresh();
          }
          button.disabled = false;
        },
      },
      text,
      button,
    );
  }

  #showWhy() {
    if (this.reasons.open && this.taskId !== null) this.why.show(this.taskId);
  }
}

/**
 * @param {Scope} scope
 * @param {TaskDetail} detail
 */
function helpBox(scope, detail) {
  const { help } = detail.task;
  if (help === null) return null;
  return h(
    "div",
    { class: "box help" },
    h("p", null, helpMark(scope, detail.task)),
    h("p", { class: "soft" }, scope.app.people.element(help.requested_by), " asked:"),
    markdown(help.reason),
  );
}
