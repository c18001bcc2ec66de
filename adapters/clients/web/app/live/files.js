// All files of a session by their whole names, for when there are more than fit as tabs.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";

const TABS_THAT_FIT = 4;
const byName = new Intl.Collator(undefined, { numeric: true }).compare;

export class Files {
  /** @param {(name: string) => void} choose */
  constructor(choose) {
    this.choose = choose;
    this.count = h("span", null, "0");
    this.list = h("ul", { class: "popup" });
    this.element = /** @type {HTMLDetailsElement} */ (
      h(
        "details",
        { class: "all-files", hidden: true },
        h("summary", { title: "All files" }, icon("list"), this.count, h("span", { class: "unseen" }, " files, all of them")),
        this.list,
      )
    );
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && this.#close(true));
    this.element.addEventListener("focusout", (event) => {
      if (!this.element.contains(/** @type {Node | null} */ (event.relatedTarget))) this.#close(false);
    });
  }

  /**
   * @param {string[]} names
   * @param {string | null} chosen
   * @param {string | null} host where the host is
   * @param {string} hostName
   */
  show(names, chosen, host, hostName) {
    this.element.hidden = names.length <= TABS_THAT_FIT;
    this.count.textContent = String(names.length);
    fill(this.list, ...[...names].sort(byName).map((name) => this.#entry(name, name === chosen, name === host ? hostName : null)));
  }

  /**
   * @param {string} name
   * @param {boolean} chosen
   * @param {string | null} hostName
   */
  #entry(name, chosen, hostName) {
    const choose = () => {
      this.choose(name);
      this.#close(true);
    };
    return h(
      "li",
      null,
      h(
        "button",
        { type: "button", "aria-current": chosen ? "true" : null, onclick: choose },
        name,
        hostName !== null && h("span", { class: "host-dot", "aria-hidden": "true" }),
        hostName !== null && h("span", { class: "unseen" }, ` (${hostName} is here)`),
      ),
    );
  }

  /** @param {boolean} focus */
  #close(focus) {
    if (!this.element.open) return;
    this.element.open = false;
    if (focus) this.element.querySelector("summary")?.focus();
  }
}
