// What is said to a person beside the page: that something was done, that something was refused and why.

import { Problem } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { SignedOut } from "./session.js";
import { transitionName } from "./states.js";

const SHOWN_MS = 5000;

export class Notices {
  constructor() {
    this.said = h("div", { class: "notices", role: "status", "aria-live": "polite" });
    this.refused = h("div", { class: "notices", role: "alert" });
    this.element = h("div", { class: "notices-corner" }, this.said, this.refused);
  }

  /**
   * Says that something was done.
   * @param {string} text
   */
  say(text) {
    const notice = h("p", { class: "notice" }, icon("check"), h("span", null, text));
    fill(this.said, notice);
    setTimeout(() => notice.remove(), SHOWN_MS);
  }

  /**
   * Says why something was not done; it stays until it is closed, or until the next is said.
   * @param {unknown} error
   */
  fail(error) {
    if (error instanceof SignedOut || (error instanceof DOMException && error.name === "AbortError")) return;
    const notice = h(
      "div",
      { class: "notice bad" },
      h("div", null, ...explained(error)),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => notice.remove() }, icon("close")),
    );
    fill(this.refused, notice);
  }

  clear() {
    fill(this.refused);
  }
}

/**
 * An error as a person can understand it; of a refused transition, what is possible instead.
 * @param {unknown} error
 * @returns {Node[]}
 */
export function explained(error) {
  if (!(error instanceof Problem)) {
    return [h("p", null, error instanceof Error ? error.message : String(error))];
  }
  const parts = [h("p", null, h("strong", null, error.title))];
  if (error.message !== error.title) parts.push(h("p", null, error.message));
  if (error.status === 409 && error.allowed.length > 0) {
    const names = error.allowed.map(transitionName).join(", ");
    parts.push(h("p", { class: "allowed" }, `Possible now: ${names}.`));
  }
  if (error.status === 412) parts.push(h("p", null, "Somebody changed it meanwhile. What you see now is how it stands."));
  return parts;
}
