// The files of a session as tabs; where the host is has a mark.

import { h } from "../dom.js";
import { Files } from "./files.js";

export class Tabs {
  /** @param {(name: string) => void} choose */
  constructor(choose) {
    this.choose = choose;
    this.element = h("div", { class: "file-tabs", role: "tablist", "aria-label": "Files", id: "files" });
    this.element.addEventListener("keydown", (event) => this.#pressed(event));
    this.element.addEventListener("scroll", () => this.#hint());
    new ResizeObserver(() => this.#hint()).observe(this.element);
    this.all = new Files(choose);
    this.stamp = "";
    /** @type {string[]} */
    this.names = [];
  }

  /**
   * @param {string[]} names
   * @param {string | null} chosen
   * @param {string | null} host where the host is
   * @param {string} hostName
   */
  show(names, chosen, host, hostName) {
    const stamp = JSON.stringify([names, chosen, host, hostName]);
    if (stamp === this.stamp) return;
    const focused = this.element.contains(document.activeElement);
    this.stamp = stamp;
    this.names = names;
    this.element.replaceChildren(...names.map((name) => this.#tab(name, name === chosen, name === host ? hostName : null)));
    this.element.hidden = names.length === 0;
    this.all.show(names, chosen, host, hostName);
    const tab = /** @type {HTMLElement | null} */ (this.element.querySelector('[aria-selected="true"]'));
    if (focused) tab?.focus();
    // Not scrollIntoView, which would move the page as well.
    if (tab !== null && (tab.offsetLeft < this.element.scrollLeft || tab.offsetLeft + tab.offsetWidth > this.element.scrollLeft + this.element.clientWidth)) {
      this.element.scrollLeft = tab.offsetLeft - 16;
    }
    this.#hint();
  }

  /** Shows that there are more tabs to the one side or the other. */
  #hint() {
    const { scrollLeft, scrollWidth, clientWidth, classList } = this.element;
    classList.toggle("more-before", scrollLeft > 1);
    classList.toggle("more-after", scrollLeft + clientWidth < scrollWidth - 1);
  }

  /** @param {string | null} name */
  idOf(name) {
    const index = name === null ? -1 : this.names.indexOf(name);
    return index < 0 ? "files" : `tab-${index}`;
  }

  /**
   * @param {string} name
   * @param {boolean} chosen
   * @param {string | null} hostName
   */
  #tab(name, chosen, hostName) {
    return h(
      "button",
      {
        type: "button", role: "tab", id: this.idOf(name), title: name, "aria-selected": String(chosen), "aria-controls": "file",
        tabindex: chosen ? 0 : -1, onclick: () => this.choose(name),
      },
      hostName !== null && h("span", { class: "host-dot", "aria-hidden": "true" }),
      h("span", { class: "file-name" }, shortened(name, this.names)),
      hostName !== null && h("span", { class: "unseen" }, ` (${hostName} is here)`),
    );
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const tabs = /** @type {HTMLElement[]} */ ([...this.element.children]);
    const at = tabs.findIndex((tab) => tab === document.activeElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const name = this.names[(to + tabs.length) % tabs.length];
    if (name !== undefined) this.choose(name);
  }
}

/**
 * The last part of a name, with as many folders before it as tell it from the others.
 * @param {string} name
 * @param {string[]} names
 */
function shortened(name, names) {
  const parts = name.split("/");
  for (let count = 1; count < parts.length; count++) {
    const short = parts.slice(-count).join("/");
    if (!names.some((other) => other !== name && (other === short || other.endsWith(`/${short}`)))) return short;
  }
  return name;
}
