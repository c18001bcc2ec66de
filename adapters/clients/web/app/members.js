// Who belongs to a project and as what; its name, its policy; and the way in for others.

import { fill, h } from "./dom.js";
import { field, openForm, select } from "./dialog.js";
import { icon } from "./icons.js";
import { Scope } from "./scope.js";
import { ROLES } from "./states.js";
import { shownDay } from "./time.js";

/** @typedef {import("../types").ShownMember} Member */
/** @typedef {import("../types").ProjectPage} ProjectPage */
/** @typedef {import("../types").InvitationCreated} Invitation */

/** @type {[string, string][]} */
const ROLE_CHOICES = Object.entries(ROLES);

export class PeopleView {
  /** @param {Scope} scope */
  constructor(scope) {
    this.scope = scope;
    this.element = h("div", { class: "page" });
  }

  show() {
    const { scope } = this;
    const { project } = scope;
    if (project === null) return;
    fill(
      this.element,
      h(
        "div",
        { class: "title-bar" },
        h("h2", null, "Members"),
        scope.mayManage && h("span", { class: "button-row" },
          h("button", { type: "button", class: "plain", onclick: () => this.#add() }, "Add somebody"),
          h("button", { type: "button", class: "primary", "data-key-new": "", onclick: () => this.#invite() }, icon("link"), "Invite"),
        ),
      ),
      h("ul", { class: "members card-box" }, ...project.members.map((member) => this.#member(member))),
      h("section", { class: "card-box about" },
        h("div", { class: "title-bar" },
          h("h2", null, "About the project"),
          scope.mayManage && h("button", { type: "button", class: "quiet", onclick: () => this.#edit() }, icon("edit"), "Edit"),
        ),
        h("p", null, project.description || h("span", { class: "nothing" }, "No description")),
        h("dl", { class: "facts" },
          h("dt", null, "Completed work is approved by"),
          h("dd", null, project.policy.approvers === "owners" ? "owners" : "owners and members"),
          h("dt", null, "Approving one’s own work"),
          h("dd", null, project.policy.may_approve_own_work ? "is allowed" : "is not allowed"),
        ),
        scope.mayManage && h("button", { type: "button", class: "quiet", onclick: () => this.#changePolicy() }, "Change who approves"),
      ),
    );
  }

  /** @param {Member} member */
  #member(member) {
    const { scope } = this;
    const { people, me } = scope.app;
    const own = member.account_id === me.account_id;
    const name = () => people.name(member.account_id);
    const role = select(ROLE_CHOICES, member.role, { "aria-label": `Role of ${name()}`, onchange: () => this.#setRole(member, role) });
    return h(
      "li",
      null,
      people.decoration(member.account_id),
      h("span", { class: "member-name" }, people.element(member.account_id), own && h("span", { class: "soft" }, " (you)"), h("span", { class: "soft small" }, `since ${shownDay(member.since.slice(0, 10))}`)),
      scope.mayManage ? role : h("span", null, ROLES[member.role]),
      (scope.mayManage || (own && scope.asOf === null)) && h("button", { type: "button", class: "quiet", onclick: () => this.#remove(member, own) }, own ? "Leave" : "Remove"),
    );
  }

  /**
   * @param {Member} member
   * @param {HTMLSelectElement} role
   */
  async #setRole(member, role) {
    const path = `${this.scope.path}/members/${member.account_id}`;
    const done = await this.scope.app.attempt(() => this.scope.app.api.command("PUT", path, { role: role.value }), "The role is changed.");
    if (!done) role.value = member.role;
  }

  /**
   * @param {Member} member
   * @param {boolean} own
   */
  #remove(member, own) {
    const { app, path } = this.scope;
    const name = app.people.name(member.account_id);
    openForm(own ? "Leave the project?" : `Remove ${name}?`, [h("p", null, own ? "You will not see it any more." : `${name} will not see the project any more. What they did stays.`)], {
      button: own ? "Leave" : "Remove",
      danger: true,
      act: async () => {
        await app.api.command("DELETE", `${path}/members/${member.account_id}`);
        app.notices.say(own ? "You left the project." : `${name} is removed.`);
        if (own) app.router.go("/");
      },
    });
  }

  async #add() {
    const { app, path } = this.scope;
    const known = await acquaintances(this.scope);
    const person = select([["", "Choose somebody"], ...known], "");
    const id = h("input", { autocomplete: "off", spellcheck: false, pattern: "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}" });
    const role = select(ROLE_CHOICES, "member");
    openForm(
      "Add somebody",
      [
        known.length > 0 ? field("From your other projects", person) : null,
        field("Account id", id, "They find it under their account. For who has no account yet, use Invite."),
        field("Role", role),
      ],
      {
        button: "Add",
        act: async () => {
          const accountId = id.value.trim() || person.value;
          if (accountId === "") throw new Error("Choose somebody, or enter an account id.");
          await app.api.command("PUT", `${path}/members/${accountId}`, { role: role.value });
          app.notices.say("They are in.");
        },
      },
    );
  }

  #invite() {
    const { app, id } = this.scope;
    const email = h("input", { type: "email", maxlength: 254, autocomplete: "off" });
    const role = select(ROLE_CHOICES, "member");
    openForm("Invite somebody", [field("E-mail", email, "May stay empty; with it, the invitation is for that address only."), field("Role", role)], {
      button: "Make an invitation",
      act: async () => {
        const body = { project_id: id, role: role.value, ...(email.value === "" ? {} : { email: email.value }) };
        /** @type {Invitation} */
        const made = await app.api.command("POST", "/invitations", body);
        showLink(made);
      },
    });
  }

  #edit() {
    const { app, path, project } = this.scope;
    if (project === null) return;
    const name = h("input", { required: true, maxlength: 120, value: project.name });
    const description = h("textarea", { rows: 6, maxlength: 65536, value: project.description });
    openForm("About the project", [field("Name", name), field("Description", description)], {
      button: "Save",
      act: async () => {
        await app.api.command("PATCH", path, { name: name.value.trim(), description: description.value }, { ifMatch: project.version });
        app.notices.say("Saved.");
      },
    });
  }

  #changePolicy() {
    const { app, path, project } = this.scope;
    if (project === null) return;
    const approvers = select([["owners", "Owners"], ["members", "Owners and members"]], project.policy.approvers);
    const own = h("input", { type: "checkbox", checked: project.policy.may_approve_own_work, id: "own-work" });
    openForm("Who approves", [field("Completed work is approved by", approvers), h("div", { class: "check" }, own, h("label", { for: "own-work" }, "One may approve one’s own work"))], {
      button: "Save",
      act: async () => {
        const policy = { approvers: approvers.value, may_approve_own_work: own.checked };
        await app.api.command("PUT", `${path}/policy`, policy, { ifMatch: project.version });
        app.notices.say("Saved.");
      },
    });
  }
}

/**
 * People of one's other projects who are not in this one.
 * @param {Scope} scope
 * @returns {Promise<[string, string][]>}
 */
async function acquaintances(scope) {
  const here = new Set(scope.members.map((member) => member.account_id));
  /** @type {ProjectPage} */
  const page = await scope.app.api.get("/projects", { query: { limit: 200 } });
  const ids = new Set(page.items.flatMap((project) => project.members.map((member) => member.account_id)));
  return [...ids].filter((id) => !here.has(id)).map((id) => [id, scope.app.people.name(id)]);
}

/** @param {Invitation} made */
function showLink(made) {
  const link = h("input", { value: made.link, readonly: true, onfocus: () => link.select() });
  openForm("The invitation", [h("p", null, "Send this link. It is good once, and is shown here only."), field("Link", link)], {
    button: navigator.clipboard === undefined ? "Done" : "Copy the link",
    act: async () => {
      await navigator.clipboard?.writeText(made.link);
    },
  });
}
