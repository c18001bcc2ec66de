// The frame around every page: where one is, whether what one sees is live, and which page the address names.

import { App } from "./app.js";
import { AccountPage } from "./account.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { ProjectPage } from "./project.js";
import { ProjectsPage } from "./projects.js";

/** @typedef {import("./app.js").View} View */
/** @typedef {import("./app.js").Route} Route */
/** @typedef {import("./app.js").EventMessage} EventMessage */

const AWAY_SHOWN_MS = 1500;

export class Shell {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    /** @type {View | null} */
    this.view = null;
    this.key = "";
    this.main = h("main", { id: "main", tabindex: -1 });
    this.pulse = h("span", { class: "pulse", role: "status" });
    this.away = h("div", { class: "away", role: "status" });
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.awayTimer = undefined;
    const header = h(
      "header",
      { class: "top" },
      h("a", { class: "brand", href: "/" }, icon("mark"), h("span", null, "HiveSync")),
      h("span", { class: "grow" }),
      this.pulse,
      h("a", { class: "me", href: "/account" }, h("span", { class: "unseen" }, "Your account: "), app.people.avatar(app.me.account_id)),
    );
    /** @type {HTMLElement[]} */
    this.elements = [
      h("a", { class: "skip", href: "#main" }, "Skip to the content"),
      header,
      this.away,
      this.main,
      app.notices.element,
    ];
    app.router.addEventListener("moved", () => this.#show());
    app.live.addEventListener("event", (event) => this.#hear(/** @type {CustomEvent} */ (event).detail));
    app.live.addEventListener("resync", (event) => {
      app.api.seen(/** @type {CustomEvent<number>} */ (event).detail);
      this.view?.renew?.();
    });
    app.live.addEventListener("status", () => this.#tellStatus());
    document.addEventListener("keydown", (event) => this.#pressed(event));
    this.#tellStatus();
    this.#show();
  }

  async #show() {
    const { path, query } = this.app.router.route;
    const key = path[0] === "projects" && path[1] !== undefined ? `project ${path[1]}` : path[0] ?? "";
    if (key !== this.key || this.view === null) {
      this.view?.leave?.();
      this.key = key;
      this.view = this.#made(path);
      fill(this.main, this.view.element);
      this.main.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    await this.view.show({ path, query });
  }

  /**
   * @param {string[]} path
   * @returns {View}
   */
  #made(path) {
    if (path[0] === "account") return new AccountPage(this.app);
    if (path[0] === "projects" && path[1] !== undefined) return new ProjectPage(this.app, path[1]);
    return new ProjectsPage(this.app);
  }

  /** @param {EventMessage} event */
  #hear(event) {
    this.app.api.seen(event.position);
    this.view?.hear?.(event);
  }

  #tellStatus() {
    const { status } = this.app.live;
    this.pulse.className = `pulse ${status}`;
    fill(this.pulse, h("span", { class: "dot" }), { live: "Live", connecting: "Connecting", away: "Offline" }[status]);
    clearTimeout(this.awayTimer);
    if (status === "away") {
      this.awayTimer = setTimeout(() => {
        fill(this.away, h("p", null, "The connection is lost. What you see may be old; it will be brought up to date by itself."));
      }, AWAY_SHOWN_MS);
    } else {
      fill(this.away);
    }
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const target = event.target;
    const typing = target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const wanted = { "/": "[data-key-search]", n: "[data-key-new]", Escape: "[data-key-close]" }[event.key];
    const element = wanted === undefined ? null : document.querySelector(wanted);
    if (element instanceof HTMLElement) {
      event.preventDefault();
      if (element.matches("input")) element.focus();
      else element.click();
    }
  }
}
