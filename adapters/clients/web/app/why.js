// Why a task is as it is: its events as a chain, each said in words, each a door to how it stood then.

import { fill, h } from "./dom.js";
import { explained } from "./notices.js";
import { Scope } from "./scope.js";
import { STATES } from "./states.js";
import { agoElement, shownDay, shownMinute } from "./time.js";

/** @typedef {import("../types").HistoryEntry} Entry */
/** @typedef {import("../types").HistoryPage} HistoryPage */
/** @typedef {Node | string} Part */

const PAGE = 100;

export class Why {
  /** @param {Scope} scope */
  constructor(scope) {
    this.scope = scope;
    this.taskId = "";
    this.list = h("ol", { class: "chain" });
    this.state = h("div", { class: "state" });
    this.element = h("div", null, this.list, this.state);
  }

  /** @param {string} taskId */
  async show(taskId) {
    if (taskId !== this.taskId) fill(this.list);
    this.taskId = taskId;
    try {
      /** @type {Entry[]} */
      const entries = [];
      /** @type {string | null} */
      let cursor = null;
      do {
        /** @type {HistoryPage} */
        const page = await this.scope.app.api.get(`/tasks/${taskId}/history`, { query: { limit: PAGE, cursor } });
        entries.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor !== null);
      if (taskId !== this.taskId) return;
      const { asOf } = this.scope;
      const then = asOf === null ? entries : entries.filter((entry) => stoodAt(entry, asOf));
      fill(this.list, ...then.reverse().map((entry) => this.#link(entry)));
      fill(this.state);
    } catch (error) {
      fill(this.state, ...explained(error));
    }
  }

  /** @param {Entry} entry */
  #link(entry) {
    const { people, router } = this.scope.app;
    const who = entry.actor === "system" ? h("span", { class: "person" }, "HiveSync") : people.element(entry.actor);
    const cause = entry.causation_id !== null && h("span", { class: "soft" }, `because of ${entry.causation_id.slice(0, 8)}…`);
    return h(
      "li",
      { class: `step ${entry.type.split(".")[1] ?? ""}` },
      h("p", null, who, " ", ...this.#said(entry)),
      h(
        "p",
        { class: "soft small" },
        agoElement(entry.recorded_at),
        " · ",
        h("a", { href: router.here({ as_of: String(entry.position) }), title: "How everything stood right after this" }, `position ${entry.position}`),
        cause && " · ",
        cause,
      ),
    );
  }

  /**
   * @param {Entry} entry
   * @returns {Part[]}
   */
  #said(entry) {
    const { people } = this.scope.app;
    const data = /** @type {Record<string, any>} */ (entry.data);
    switch (entry.type.replace(/\.v\d+$/, "")) {
      case "task.created": return ["made the task"];
      case "task.imported": return [`imported the task from ${data["source"]}, where it was ${data["external_id"]}`];
      case "task.edited": return [`changed ${changedFields(data)}`];
      case "task.help_requested": return ["asked for help: ", quoted(data["reason"])];
      case "task.help_withdrawn": return ["withdrew the call for help"];
      case "task.help_claimed": return [`came to help, until ${shownMinute(data["lease_expires_at"])}`];
      case "task.help_checked_in": return [`checked in, until ${shownMinute(data["lease_expires_at"])}`];
      case "task.help_released": return ["gave the claim of ", people.element(data["helper_id"]), " back"];
      case "task.help_lease_expired": return ["ended the help of ", people.element(data["helper_id"]), ": the time had run out"];
      case "task.completed": return data["occurred_at"] ? [`noted it as closed on ${shownMinute(data["occurred_at"])}`] : ["completed the task"];
      case "task.approved": return data["occurred_at"] ? ["took it as approved, as it came"] : ["approved the work"];
      case "task.denied": return ["did not take the work: ", quoted(data["reason"])];
      case "task.reassigned": return data["assignee_id"] === null ? ["took it from everybody"] : ["gave it to ", people.element(data["assignee_id"])];
      case "task.commented": return ["said: ", quoted(data["text"])];
      case "task.archived": return ["archived the task"];
      case "task.restored": return [`restored the task to “${STATES[/** @type {import("./states.js").State} */ (data["status"])] ?? data["status"]}”`];
      default: return [entry.type];
    }
  }
}

/**
 * @param {Entry} entry
 * @param {string} asOf a position or a time
 */
function stoodAt(entry, asOf) {
  return /^\d+$/.test(asOf) ? entry.position <= Number(asOf) : new Date(entry.recorded_at) <= new Date(asOf);
}

/** @param {Record<string, any>} data */
function changedFields(data) {
  const names = Object.keys(data).filter((name) => data[name] !== undefined);
  const due = "due" in data ? [data["due"] === null ? "the due date (none now)" : `the due date to ${shownDay(data["due"])}`] : [];
  const others = names.filter((name) => name !== "due").map((name) => `the ${name}`);
  return [...others, ...due].join(", ") || "nothing";
}

/** @param {unknown} text */
function quoted(text) {
  const whole = String(text);
  return h("q", null, whole.length > 280 ? `${whole.slice(0, 280)}…` : whole);
}
