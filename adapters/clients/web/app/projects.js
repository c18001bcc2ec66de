// One's projects.

import { App } from "./app.js";
import { fill, h, keyed, soon } from "./dom.js";
import { field, openForm } from "./dialog.js";
import { icon } from "./icons.js";
import { explained } from "./notices.js";
import { ROLES } from "./states.js";

/** @typedef {import("../types").ShownProject} Project */
/** @typedef {import("../types").ProjectPage} ProjectPage */

const PAGE = 100;
const REFRESH_MS = 150;

export class ProjectsPage {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.list = h("ul", { class: "projects" });
    this.state = h("div", { class: "state" }, h("p", { class: "soft" }, "Loading…"));
    this.element = h(
      "div",
      { class: "page" },
      h(
        "div",
        { class: "title-bar" },
        h("h1", null, "Projects"),
        h("button", { type: "button", class: "primary", "data-key-new": "", onclick: () => this.#make() }, icon("plus"), "New project"),
      ),
      this.list,
      this.state,
    );
    this.refresh = soon(() => this.#load(), REFRESH_MS);
  }

  async show() {
    document.title = "Projects · HiveSync";
    await this.#load();
  }

  /** @param {import("./app.js").EventMessage} event */
  hear(event) {
    if (event.event_type.startsWith("project.")) this.refresh();
  }

  renew() {
    this.refresh();
  }

  async #load() {
    try {
      /** @type {Project[]} */
      const projects = [];
      /** @type {string | null} */
      let cursor = null;
      do {
        /** @type {ProjectPage} */
        const page = await this.app.api.get("/projects", { query: { limit: PAGE, cursor } });
        projects.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor !== null);
      keyed(this.list, projects, (each) => each.project_id, (each) => each.version, (each) => this.#card(each));
      fill(this.state, projects.length === 0 && this.#empty());
    } catch (error) {
      fill(this.state, ...explained(error));
    }
  }

  #empty() {
    return h(
      "div",
      { class: "empty" },
      icon("board"),
      h("h2", null, "No projects yet"),
      h("p", null, "Make one, or ask an owner to let you into theirs."),
    );
  }

  /** @param {Project} project */
  #card(project) {
    const { people, me } = this.app;
    const role = project.members.find((member) => member.account_id === me.account_id)?.role;
    const shown = project.members.slice(0, 5);
    return h(
      "li",
      null,
      h(
        "a",
        { class: "card-box project", href: `/projects/${project.project_id}` },
        h("strong", { class: "project-name" }, project.name),
        project.description !== "" && h("span", { class: "project-description" }, firstLine(project.description)),
        h(
          "span",
          { class: "project-foot" },
          h(
            "span",
            { class: "avatars" },
            ...shown.map((member) => people.avatar(member.account_id)),
            project.members.length > shown.length && h("span", { class: "soft" }, `+${project.members.length - shown.length}`),
          ),
          role !== undefined && h("span", { class: "soft" }, ROLES[role]),
        ),
      ),
    );
  }

  #make() {
    const name = h("input", { required: true, maxlength: 120, autocomplete: "off" });
    const description = h("textarea", { rows: 4, maxlength: 65536 });
    openForm("New project", [field("Name", name), field("Description", description, "What it is for; may stay empty.")], {
      button: "Make the project",
      act: async () => {
        const body = { name: name.value.trim(), description: description.value };
        const made = await this.app.api.command("POST", "/projects", body);
        this.app.router.go(`/projects/${made.id}`);
      },
    });
  }
}

/** @param {string} text */
function firstLine(text) {
  return text.split("\n", 1)[0] ?? "";
}
