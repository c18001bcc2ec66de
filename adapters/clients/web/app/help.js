// The help queue: who waits, for how long, at which place, and who helps until when.

import { fill, h, soon } from "./dom.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { explained } from "./notices.js";
import { Scope } from "./scope.js";
import { duration, leftElement, waitingElement } from "./time.js";

/** @typedef {import("../types").HelpQueueAnswer} HelpQueueAnswer */
/** @typedef {import("../types").QueueEntry} Entry */
/** @typedef {import("./app.js").EventMessage} EventMessage */

const REFRESH_MS = 120;

export class HelpQueue {
  /** @param {Scope} scope */
  constructor(scope) {
    this.scope = scope;
    this.list = h("ol", { class: "queue" });
    this.state = h("div", { class: "state" }, h("p", { class: "soft" }, "Loading…"));
    this.element = h("div", { class: "page" }, h("h2", { class: "unseen" }, "Help queue"), this.list, this.state);
    this.refresh = soon(() => this.#load(), REFRESH_MS);
  }

  async show() {
    if (this.list.childElementCount === 0) await this.#load();
    this.scope.mark(this.list);
  }

  /** @param {EventMessage} event */
  hear(event) {
    if (event.event_type.startsWith("task.")) this.refresh();
  }

  renew() {
    this.refresh();
  }

  async #load() {
    const { scope } = this;
    try {
      /** @type {HelpQueueAnswer} */
      const answer = await scope.app.api.get(`${scope.path}/help-queue`, { asOf: scope.asOf });
      const focused = this.list.contains(document.activeElement);
      fill(this.list, ...answer.items.map((entry) => this.#entry(entry)));
      scope.mark(this.list);
      if (focused) this.list.querySelector("a")?.focus();
      fill(
        this.state,
        answer.items.length === 0 &&
          h("div", { class: "empty" }, icon("hand"), h("h2", null, "Nobody waits for help"), h("p", null, "Who asks for help on a task appears here, the longest waiting first.")),
      );
    } catch (error) {
      fill(this.state, ...explained(error));
    }
  }

  /** @param {Entry} entry */
  #entry(entry) {
    const { scope } = this;
    const { people, me } = scope.app;
    const { call } = entry;
    const past = scope.asOf !== null;
    const waited = past ? duration(entry.waiting_s) : waitingElement(call.waiting_since);
    return h(
      "li",
      { class: `card-box call ${call.helper_id === null ? "" : "claimed"}` },
      h("span", { class: "place" }, h("span", { class: "unseen" }, entry.place === null ? "claimed" : "place "), entry.place ?? icon("check")),
      h(
        "div",
        { class: "call-body" },
        h("a", { class: "call-title", href: scope.taskAddress(call.task_id), "data-task": call.task_id }, call.title),
        h("div", { class: "call-reason" }, markdown(call.reason)),
        h(
          "p",
          { class: "soft" },
          people.element(call.requested_by),
          call.helper_id === null ? " waits " : " is helped by ",
          call.helper_id === null ? waited : people.element(call.helper_id),
          !past && call.lease_expires_at !== null && " · ",
          !past && call.lease_expires_at !== null && leftElement(call.lease_expires_at),
        ),
      ),
      h("div", { class: "call-actions" }, ...this.#buttons(entry, me.account_id)),
    );
  }

  /**
   * @param {Entry} entry
   * @param {string} mine
   */
  #buttons(entry, mine) {
    const { call } = entry;
    if (!this.scope.mayWork) return [];
    if (call.helper_id === mine) {
      return [
        this.#button("Check in", "check-in", call.task_id, "You are still at it; the time begins anew.", "plain"),
        this.#button("Give back", "release-help", call.task_id, "The call waits again.", "quiet"),
      ];
    }
    if (call.helper_id === null && call.requested_by !== mine) {
      return [this.#button("I’ll help", "claim-help", call.task_id, "You help now, until the time runs out.", "primary")];
    }
    return [];
  }

  /**
   * @param {string} text
   * @param {string} path
   * @param {string} taskId
   * @param {string} done
   * @param {string} weight
   */
  #button(text, path, taskId, done, weight) {
    const { app } = this.scope;
    const act = () => app.attempt(() => app.api.command("POST", `/tasks/${taskId}/${path}`), done);
    return h("button", { type: "button", class: weight, onclick: act }, text);
  }
}
