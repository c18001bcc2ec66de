// Looking back: choose a moment, and everything shows what stood then; a banner says so for as long as it lasts.

import { fill, h } from "./dom.js";
import { field, openForm } from "./dialog.js";
import { icon } from "./icons.js";
import { Scope } from "./scope.js";
import { shownSecond } from "./time.js";

export class MomentBar {
  /** @param {Scope} scope */
  constructor(scope) {
    this.scope = scope;
    this.banner = h("div", { class: "moment", role: "status" });
    this.button = h("button", { type: "button", class: "quiet", onclick: () => this.#choose() }, icon("clock"), "Look back");
  }

  show() {
    const { asOf, path } = this.scope;
    const { router } = this.scope.app;
    fill(
      this.banner,
      asOf !== null &&
        h(
          "div",
          { class: "moment-inner" },
          icon("clock"),
          h("p", null, "This is how everything stood ", h("strong", null, momentText(asOf)), ". Nothing can be changed there."),
          h("a", { href: router.here({ task: null, q: null, assignee: null, label: null, state: null }, `${path}/changes`) }, "What changed since"),
          h("a", { class: "button plain", href: this.#now() }, "Back to now"),
        ),
    );
  }

  /** The address of here and now: the page of the changes has no now. */
  #now() {
    const { router } = this.scope.app;
    const inChanges = router.route.path[2] === "changes";
    return inChanges ? router.here({ as_of: null }, this.scope.path) : router.here({ as_of: null });
  }

  #choose() {
    const { asOf } = this.scope;
    const { router } = this.scope.app;
    const isPosition = asOf !== null && /^\d+$/.test(asOf);
    const time = h("input", { type: "datetime-local", step: 1, max: local(new Date()), value: asOf !== null && !isPosition ? local(new Date(asOf)) : "" });
    const position = h("input", { type: "number", min: 0, step: 1, inputmode: "numeric", value: isPosition ? asOf : "" });
    openForm(
      "Look back",
      [
        h("p", null, "Show everything as it stood at a moment."),
        field("At this time", time),
        h("p", { class: "or" }, "or"),
        field("At this position of the log", position, "Every event has one; a task’s history names them."),
      ],
      {
        button: "Show",
        act: async () => {
          const at = position.value !== "" ? position.value : time.value === "" ? null : new Date(time.value).toISOString();
          if (at === null) throw new Error("Choose a time or a position.");
          router.go(router.here({ as_of: at, task: router.route.query.get("task") }));
        },
      },
    );
  }
}

/** @param {string} asOf */
function momentText(asOf) {
  return /^\d+$/.test(asOf) ? `at position ${asOf}` : `on ${shownSecond(asOf)}`;
}

/** @param {Date} time */
function local(time) {
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
