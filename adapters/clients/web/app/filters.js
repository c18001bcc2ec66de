// Search and filters over the board and the list; they stand in the address.

import { h, soon } from "./dom.js";
import { select } from "./dialog.js";
import { icon } from "./icons.js";
import { Scope } from "./scope.js";
import { STATES } from "./states.js";

/** @typedef {import("./app.js").Route} Route */

const TYPING_MS = 250;

/** @type {[string, string][]} */
export const SORTINGS = [
  ["-updated", "Changed last"],
  ["-created", "Newest"],
  ["created", "Oldest"],
  ["-priority", "Most urgent"],
  ["due", "Due first"],
  ["title", "Title"],
];

export class Filters {
  /**
   * @param {Scope} scope
   * @param {{states: boolean}} options
   */
  constructor(scope, options) {
    this.scope = scope;
    const { router } = scope.app;
    const typed = soon(() => router.go(router.here({ q: this.search.value.trim() }), { replace: true }), TYPING_MS, TYPING_MS);
    /** @type {HTMLInputElement} */
    this.search = h("input", {
      type: "search", placeholder: "Search", "aria-label": "Search title and description", "data-key-search": "",
      maxlength: 500, oninput: typed,
    });
    this.assignee = h("select", { "aria-label": "Assignee", onchange: () => this.#set("assignee", this.assignee.value) });
    this.suggestions = h("datalist", { id: "known-labels" });
    this.label = h("input", {
      placeholder: "Label", "aria-label": "Label", list: "known-labels", maxlength: 100, class: "label-filter",
      onchange: () => this.#set("label", this.label.value.trim()),
    });
    this.sort = select(SORTINGS, "-updated", {
      "aria-label": "Sort by", onchange: () => this.#set("sort", this.sort.value === "-updated" ? "" : this.sort.value),
    });
    this.state = select([["", "Any state"], ...Object.entries(STATES)], "", {
      "aria-label": "State", onchange: () => this.#set("state", this.state.value),
    });
    this.clear = h("button", { type: "button", class: "link", onclick: () => this.#clear() }, "Clear");
    this.element = h(
      "div",
      { class: "filters", role: "search" },
      h("span", { class: "search-box" }, icon("search"), this.search),
      this.assignee,
      this.label,
      this.suggestions,
      options.states && this.state,
      this.sort,
      this.clear,
    );
  }

  /** @param {Route} route */
  show(route) {
    const { query } = route;
    const { people, me } = this.scope.app;
    if (document.activeElement !== this.search) this.search.value = query.get("q") ?? "";
    if (document.activeElement !== this.label) this.label.value = query.get("label") ?? "";
    const chosen = query.get("assignee") ?? "";
    const others = this.scope.workers.filter((id) => id !== me.account_id);
    const known = chosen === "" || chosen === "none" || chosen === me.account_id || others.includes(chosen);
    this.assignee.replaceChildren(
      h("option", { value: "" }, "Anybody’s"),
      h("option", { value: me.account_id }, "Mine"),
      h("option", { value: "none" }, "Nobody’s"),
      ...[...others, ...(known ? [] : [chosen])].map((id) => h("option", { value: id, "data-option-person": id }, people.name(id))),
    );
    this.assignee.value = chosen;
    this.sort.value = query.get("sort") ?? "-updated";
    this.state.value = query.get("state") ?? "";
    this.clear.hidden = !["q", "assignee", "label", "state", "sort"].some((name) => query.has(name));
  }

  /** What the API is asked for. */
  get wanted() {
    const { query } = this.scope.app.router.route;
    return {
      q: query.get("q"),
      assignee: query.get("assignee"),
      label: query.get("label"),
      sort: query.get("sort"),
    };
  }

  /** Offers the labels that were seen. */
  suggest() {
    if (this.suggestions.childElementCount !== this.scope.labels.size) {
      this.suggestions.replaceChildren(...[...this.scope.labels].sort().map((label) => h("option", { value: label })));
    }
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  #set(name, value) {
    const { router } = this.scope.app;
    router.go(router.here({ [name]: value }), { replace: true });
  }

  #clear() {
    const { router } = this.scope.app;
    this.search.value = "";
    this.label.value = "";
    router.go(router.here({ q: null, assignee: null, label: null, state: null, sort: null }));
  }
}
