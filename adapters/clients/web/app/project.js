// A project: its board, list, help queue, people, imports and exports, a task beside them, now or as it stood.

import { App } from "./app.js";
import { Board } from "./board.js";
import { Changes } from "./changes.js";
import { fill, h, soon } from "./dom.js";
import { Exports } from "./exports.js";
import { HelpQueue } from "./help.js";
import { ImportView } from "./import.js";
import { icon } from "./icons.js";
import { List } from "./list.js";
import { MomentBar } from "./moment.js";
import { explained } from "./notices.js";
import { PeopleView } from "./members.js";
import { Scope } from "./scope.js";
import { LiveSessions } from "./sessions.js";
import { TaskPanel } from "./task.js";

/** @typedef {import("./app.js").View} View */
/** @typedef {import("./app.js").Route} Route */
/** @typedef {import("./app.js").EventMessage} EventMessage */

const REFRESH_MS = 150;

/** @type {[string, string, (scope: Scope) => boolean, (scope: Scope) => View][]} */
const TABS = [
  ["", "Board", () => true, (scope) => new Board(scope)],
  ["list", "List", () => true, (scope) => new List(scope)],
  ["help", "Help", () => true, (scope) => new HelpQueue(scope)],
  ["live", "Live View", (scope) => scope.asOf === null, (scope) => new LiveSessions(scope)],
  ["people", "People", () => true, (scope) => new PeopleView(scope)],
  ["import", "Import", (scope) => scope.mayWork, (scope) => new ImportView(scope)],
  ["exports", "Export", (scope) => scope.role === "owner" || scope.role === "auditor", (scope) => new Exports(scope)],
  ["changes", "Changes", (scope) => scope.asOf !== null, (scope) => new Changes(scope)],
];

export class ProjectPage {
  /**
   * @param {App} app
   * @param {string} id
   */
  constructor(app, id) {
    this.app = app;
    this.scope = new Scope(app, id);
    this.tab = "";
    /** @type {View | null} */
    this.view = null;
    /** @type {string | null | undefined} */
    this.asOf = undefined;
    this.title = h("h1", null, "…");
    this.tabs = h("nav", { class: "tabs", "aria-label": "Project" });
    this.moment = new MomentBar(this.scope);
    this.outlet = h("div", { class: "outlet" }, h("p", { class: "soft" }, "Loading…"));
    this.panel = new TaskPanel(this.scope);
    this.element = h(
      "div",
      { class: "project-page" },
      h(
        "div",
        { class: "project-head" },
        h("a", { class: "up", href: "/", "aria-label": "All projects" }, icon("back")),
        this.title,
        h("span", { class: "grow" }),
        this.moment.button,
      ),
      this.moment.banner,
      this.tabs,
      h("div", { class: "split" }, this.outlet, this.panel.element),
    );
    this.refresh = soon(() => this.#reload(), REFRESH_MS);
  }

  /** @param {Route} route */
  async show(route) {
    const moved = this.asOf !== this.scope.asOf;
    this.asOf = this.scope.asOf;
    if (moved) {
      try {
        await this.scope.load();
      } catch (error) {
        this.#refused(error);
        return;
      }
    }
    this.moment.show();
    this.#showTabs(route);
    await Promise.all([this.#showTab(route, moved), this.panel.show(route.query.get("task"), moved)]);
  }

  /** @param {EventMessage} event */
  hear(event) {
    const { scope, app } = this;
    if (event.project_id !== scope.id) return;
    if (event.event_type === "project.member_removed" && event.payload.account_id === app.me.account_id) {
      app.notices.say("You do not belong to this project any more.");
      app.router.go("/");
      return;
    }
    if (scope.asOf !== null) return;
    if (event.event_type.startsWith("project.")) this.refresh();
    this.view?.hear?.(event);
    this.panel.hear(event);
  }

  renew() {
    if (this.scope.asOf !== null) return;
    this.refresh();
    this.view?.renew?.();
    this.panel.renew();
  }

  leave() {
    this.view?.leave?.();
    this.panel.leave();
  }

  async #reload() {
    try {
      await this.scope.load();
    } catch (error) {
      this.#refused(error);
      return;
    }
    const { route } = this.app.router;
    this.#showTabs(route);
    this.panel.redraw();
    if (this.tab === "people") await this.view?.show(route);
  }

  /** @param {Route} route */
  #showTabs(route) {
    const { scope } = this;
    const current = route.path[2] ?? "";
    const name = scope.project?.name ?? "…";
    this.title.textContent = name;
    const label = TABS.find(([path]) => path === current)?.[1];
    document.title = `${current === "" ? name : `${label ?? ""} · ${name}`} · HiveSync`;
    fill(
      this.tabs,
      ...TABS.filter(([, , offered]) => offered(scope)).map(([path, text]) => {
        const address = path === "" ? scope.path : `${scope.path}/${path}`;
        const kept = this.app.router.here({ task: null, state: null }, address);
        return h("a", { href: kept, "aria-current": path === current ? "page" : null }, text);
      }),
    );
  }

  /**
   * @param {Route} route
   * @param {boolean} moved
   */
  async #showTab(route, moved) {
    const tab = route.path[2] ?? "";
    if (this.view === null || this.tab !== tab || moved) {
      this.view?.leave?.();
      this.tab = tab;
      const found = TABS.find(([path, , offered]) => path === tab && offered(this.scope)) ?? TABS[0];
      this.view = found === undefined ? null : found[3](this.scope);
      if (this.view !== null) fill(this.outlet, this.view.element);
    }
    await this.view?.show(route);
  }

  /** @param {unknown} error */
  #refused(error) {
    this.title.textContent = "Project";
    fill(this.tabs);
    fill(this.outlet, h("div", { class: "state" }, ...explained(error), h("p", null, h("a", { href: "/" }, "All projects"))));
  }
}
