// The door of a live session: an invite, and the name under which the host sees who came.

import { Api, Problem } from "../api.js";
import { field } from "../dialog.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { explained } from "../notices.js";
import { Session, goToSignIn } from "../session.js";
import { inviteIn } from "./kept.js";

const NAME_MAX = 120;
/** Answers after which an invite will not do at another time either: it is no good, or the session is over. */
const USELESS = new Set([404, 409]);

export class Entry {
  /**
   * @param {string | null} invite
   * @param {Session | null} session
   * @param {(invite: string, name: string | null) => Promise<void>} join with no name: with the account
   * @param {() => void} another asks for another invite than the one that is of no use
   */
  constructor(invite, session, join, another) {
    this.invite = invite;
    this.another = another;
    this.session = session;
    this.join = join;
    this.trouble = h("div", { class: "trouble", role: "alert" });
    this.link = h("input", { required: true, autocomplete: "off", spellcheck: false, maxlength: 2000 });
    this.name = h("input", { required: true, autocomplete: "name", maxlength: NAME_MAX });
    this.account = h("div", { class: "entry-account" });
    const own = session !== null;
    this.element = h(
      "main",
      { class: "entry" },
      h("p", { class: "brand" }, icon("mark"), "HiveSync"),
      h("h1", null, invite === null ? "Watch a live session" : "You are invited to a live session"),
      h("p", null, "You see the host’s code as it is written. You can read and copy; nothing can be changed from here."),
      this.account,
      h(
        "form",
        { onsubmit: (/** @type {SubmitEvent} */ event) => this.#asGuest(event) },
        invite === null ? field("Link or invite", this.link, "As the host sent it, such as hivesync://live/…") : null,
        field("Your name", this.name, "The host sees who watches."),
        this.trouble,
        h("button", { type: "submit", class: own ? "plain" : "primary" }, own ? "Watch as a guest" : "Watch"),
      ),
    );
    if (invite !== null) this.#offerAccount();
  }

  focus() {
    (this.invite === null ? this.link : this.name).focus();
  }

  async #offerAccount() {
    const { session } = this;
    if (session === null) {
      const signIn = h("button", { type: "button", class: "link", onclick: () => this.#attempt(goToSignIn) }, "Sign in to watch with your account");
      fill(this.account, signIn);
      return;
    }
    try {
      /** @type {import("../../types").MeAnswer} */
      const me = await new Api(session).get("/me");
      const button = h("button", { type: "button", class: "primary", onclick: () => this.#use(null) }, `Watch as ${me.name}`);
      fill(this.account, button, h("p", { class: "or" }, "or"));
      this.name.value = me.name;
    } catch {
      // Watching as a guest is offered in any case.
    }
  }

  /** @param {SubmitEvent} event */
  async #asGuest(event) {
    event.preventDefault();
    await this.#use(this.name.value.trim());
  }

  /** @param {string | null} name */
  async #use(name) {
    await this.#attempt(async () => {
      const invite = this.invite ?? inviteIn(this.link.value);
      if (invite === null) throw new Error("That is no link to a live session.");
      await this.join(invite, name);
    });
  }

  #offerAnother() {
    if (this.element.querySelector(".another") !== null) return;
    this.element.append(h("button", { type: "button", class: "plain another", onclick: this.another }, "Use another link"));
  }

  /** @param {() => Promise<void>} work */
  async #attempt(work) {
    const buttons = this.element.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    fill(this.trouble);
    try {
      await work();
    } catch (error) {
      fill(this.trouble, ...explained(error));
      if (this.invite !== null && error instanceof Problem && USELESS.has(error.status)) this.#offerAnother();
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }
}
