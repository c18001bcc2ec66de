// One's own account: the name that others see, the id that an owner needs, and the way out.

import { App } from "./app.js";
import { h } from "./dom.js";
import { field } from "./dialog.js";
import { SignIns } from "./signins.js";

export class AccountPage {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    const { me } = app;
    this.signIns = new SignIns(app);
    const name = h("input", { value: me.name, required: true, maxlength: 120, autocomplete: "name" });
    this.element = h(
      "div",
      { class: "page narrow" },
      h("h1", null, "Your account"),
      h(
        "section",
        { class: "card-box" },
        h(
          "form",
          {
            onsubmit: (/** @type {SubmitEvent} */ event) => {
              event.preventDefault();
              this.#rename(name.value.trim());
            },
          },
          field("Name", name, "What others see beside what you do."),
          h("button", { type: "submit", class: "primary" }, "Save"),
        ),
        h(
          "dl",
          { class: "facts" },
          h("dt", null, "E-mail"), h("dd", null, me.email),
          h("dt", null, "Account id"), h("dd", null, h("code", null, me.account_id)),
        ),
        h("p", { class: "hint" }, "An owner who lets you into a project may ask for this id."),
      ),
      this.signIns.element,
      h(
        "section",
        { class: "card-box" },
        h("h2", null, "Sign out"),
        h("p", null, "Ends this session at once, in every tab of this browser."),
        h("button", { type: "button", class: "quiet", onclick: () => this.#signOut() }, "Sign out"),
      ),
    );
  }

  show() {
    document.title = "Your account · HiveSync";
    this.signIns.load();
  }

  /** @param {string} name */
  async #rename(name) {
    const { app } = this;
    await app.attempt(async () => {
      app.me = await app.api.command("PATCH", "/me", { name });
      app.people.learn(app.me.account_id, app.me.name);
    }, "Your name is saved.");
  }

  async #signOut() {
    const { app } = this;
    app.live.stop();
    if (await app.attempt(() => app.session.end())) {
      document.title = "HiveSync";
      document.body.replaceChildren(
        h(
          "main",
          { class: "alone" },
          h("h1", null, "You are signed out"),
          h("button", { type: "button", class: "primary", onclick: () => location.assign("/") }, "Sign in again"),
        ),
      );
    }
  }
}
