// The live sessions of a project that run now: watch one, and, as its host or an owner, let others in or end it.

import { field, openForm } from "./dialog.js";
import { fill, h, soon } from "./dom.js";
import { icon } from "./icons.js";
import { explained } from "./notices.js";
import { Scope } from "./scope.js";
import { agoElement, shownMinute } from "./time.js";

/** @typedef {import("../types").LivePage} LivePage */
/** @typedef {import("../types").LiveSummary} LiveSummary */
/** @typedef {import("../types").LiveInviteMade} LiveInviteMade */
/** @typedef {import("./app.js").EventMessage} EventMessage */

const REFRESH_MS = 120;

export class LiveSessions {
  /** @param {Scope} scope */
  constructor(scope) {
    this.scope = scope;
    this.list = h("ul", { class: "members card-box", hidden: true });
    this.state = h("div", { class: "state" }, h("p", { class: "soft" }, "Loading…"));
    this.element = h("div", { class: "page" }, h("h2", { class: "unseen" }, "Live sessions"), this.list, this.state);
    this.refresh = soon(() => this.#load(), REFRESH_MS);
  }

  async show() {
    await this.#load();
  }

  /** @param {EventMessage} event */
  hear(event) {
    if (event.event_type.startsWith("live.")) this.refresh();
  }

  renew() {
    this.refresh();
  }

  async #load() {
    const { app, path } = this.scope;
    try {
      /** @type {LivePage} */
      const page = await app.api.get(`${path}/live-sessions`, { query: { running: "true" } });
      fill(this.list, ...page.items.map((session) => this.#session(session)));
      this.list.hidden = page.items.length === 0;
      fill(
        this.state,
        page.items.length === 0 &&
          h("div", { class: "empty" }, icon("mark"), h("h2", null, "Nobody shows code at the moment"), h("p", null, "Host a session from your editor, or with “hivesync live host”. It appears here while it runs.")),
      );
    } catch (error) {
      fill(this.state, ...explained(error));
    }
  }

  /** @param {LiveSummary} session */
  #session(session) {
    const { people, me } = this.scope.app;
    const title = session.title || "Live session";
    const mayEnd = this.scope.mayManage || session.host_id === me.account_id;
    return h(
      "li",
      null,
      people.decoration(session.host_id),
      h(
        "span",
        { class: "member-name" },
        h("strong", null, title),
        h("span", { class: "soft small" }, " ", people.element(session.host_id), ", ", agoElement(session.started_at)),
      ),
      h("a", { class: "button primary", href: `/live?session=${session.session_id}` }, "Watch", h("span", { class: "unseen" }, ` ${title}`)),
      mayEnd && h("button", { type: "button", class: "quiet", onclick: () => this.#invite(session) }, "Invite"),
      mayEnd && h("button", { type: "button", class: "quiet", onclick: () => this.#end(session) }, "End"),
    );
  }

  /** @param {LiveSummary} session */
  async #invite(session) {
    const { app } = this.scope;
    await app.attempt(async () => {
      /** @type {LiveInviteMade} */
      const made = await app.api.command("POST", `/live-sessions/${session.session_id}/invites`, {});
      const link = h("input", { value: made.web_link, readonly: true, onfocus: () => link.select() });
      const said = `Send this link. It lets people in until ${shownMinute(made.expires_at)}, also without an account, and is shown here only.`;
      openForm("Invite to the live session", [h("p", null, said), field("Link", link)], {
        button: navigator.clipboard === undefined ? "Done" : "Copy the link",
        act: async () => {
          await navigator.clipboard?.writeText(made.web_link);
        },
      });
    });
  }

  /** @param {LiveSummary} session */
  #end(session) {
    const { app } = this.scope;
    openForm("End the live session?", [h("p", null, "Nobody can watch it any more.")], {
      button: "End",
      danger: true,
      act: async () => {
        await app.api.command("POST", `/live-sessions/${session.session_id}/end`, {});
        app.notices.say("The session has ended.");
      },
    });
  }
}
