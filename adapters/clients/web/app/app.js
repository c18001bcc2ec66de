// What every page of the client shares: who one is, the server, the live connection, and what is said beside the page.

import { Api } from "./api.js";
import { Notices } from "./notices.js";
import { People } from "./people.js";
import { Router } from "./router.js";
import { Session } from "./session.js";
import { Live } from "./socket.js";

/** @typedef {import("../types").MeAnswer} Me */
/** @typedef {import("./router.js").Route} Route */
/** @typedef {import("../types").EventMessage} EventMessage */

/**
 * A part of the page. `show` is called when the address changes, `hear` with events of the log that concern it, `renew`
 * when something may have been missed.
 * @typedef {object} View
 * @property {HTMLElement} element
 * @property {(route: Route) => void | Promise<void>} show
 * @property {(event: EventMessage) => void} [hear]
 * @property {() => void} [renew]
 * @property {() => void} [leave]
 */

export class App {
  /**
   * @param {Session} session
   * @param {Me} me
   * @param {Api} api
   */
  constructor(session, me, api) {
    this.session = session;
    this.me = me;
    this.api = api;
    this.router = new Router();
    this.notices = new Notices();
    this.people = new People(api);
    this.people.learn(me.account_id, me.name);
    this.live = new Live(session);
  }

  /** The moment that is looked at, as the address says it; null is now. */
  get asOf() {
    return this.router.route.query.get("as_of");
  }

  /**
   * Gives a command; what is refused is said, and the answer is whether it was carried out.
   * @param {() => Promise<unknown>} command
   * @param {string} [done]
   */
  async attempt(command, done) {
    try {
      await command();
      this.notices.clear();
      if (done !== undefined) this.notices.say(done);
      return true;
    } catch (error) {
      this.notices.fail(error);
      return false;
    }
  }
}
