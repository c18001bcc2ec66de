// Where one is signed in: every program and browser that has tokens of one's own, and the way to throw them out.

import { App } from "./app.js";
import { h } from "./dom.js";
import { agoElement, shownMinute } from "./time.js";

/** @typedef {import("../types").SessionAnswer} SessionAnswer */
/** @typedef {import("../types").SessionsAnswer} SessionsAnswer */

export class SignIns {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.list = h("ul", { class: "sign-ins", "aria-busy": "true" });
    this.others = h(
      "button",
      { type: "button", class: "quiet", hidden: true, onclick: () => this.#endOthers() },
      "Sign out everywhere else",
    );
    this.element = h(
      "section",
      { class: "card-box" },
      h("h2", null, "Where you are signed in"),
      h("p", { class: "hint" }, "End what you do not know, then change your password. It acts at once."),
      this.list,
      this.others,
    );
  }

  async load() {
    await this.app.attempt(async () => {
      /** @type {SessionsAnswer} */
      const { sessions } = await this.app.api.get("/me/sessions");
      this.list.replaceChildren(...sessions.map((session) => this.#row(session)));
      this.others.hidden = sessions.every((session) => session.is_current);
    });
    this.list.removeAttribute("aria-busy");
  }

  /** @param {SessionAnswer} session */
  #row(session) {
    const name = session.client_name ?? "A program, with your password";
    const began = `since ${shownMinute(session.created_at)}`;
    return h(
      "li",
      null,
      h(
        "div",
        null,
        h("strong", null, name),
        h("p", { class: "hint" }, `${began}, last used `, agoElement(session.last_used_at)),
      ),
      session.is_current
        ? h("span", { class: "hint" }, "This one")
        : h(
            "button",
            {
              type: "button",
              class: "quiet",
              "aria-label": `End: ${name}, ${began}`,
              onclick: () => this.#end(session),
            },
            "End",
          ),
    );
  }

  /** @param {SessionAnswer} session */
  async #end(session) {
    await this.app.attempt(
      () => this.app.api.command("DELETE", `/me/sessions/${session.session_id}`),
      "That sign-in has ended.",
    );
    await this.load();
  }

  async #endOthers() {
    await this.app.attempt(
      () => this.app.api.command("POST", "/me/sessions/end-others"),
      "You are signed in here alone.",
    );
    await this.load();
  }
}
