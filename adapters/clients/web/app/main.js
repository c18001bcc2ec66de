// The beginning: sign in, connect, and show what the address says.

import { Api } from "./api.js";
import { App } from "./app.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { Session, SignInFailed, goToSignIn } from "./session.js";
import { Shell } from "./shell.js";
import { startClock } from "./time.js";

const FIRST_CONNECTION_MS = 2000;

async function begin() {
  const session = await Session.begin();
  if (session === null) return;
  if (location.pathname === "/live") {
    // The way to the sign-in began on the live page, which is a page of its own.
    location.reload();
    return;
  }
  const api = new Api(session);
  /** @type {import("../types").MeAnswer} */
  const me = await api.get("/me");
  const app = new App(session, me, api);
  session.addEventListener("ended", () => {
    app.live.stop();
    goToSignIn().catch(show);
  });
  await connected(app);
  startClock();
  document.body.replaceChildren(...new Shell(app).elements);
}

/**
 * Returns when the live connection stands, so that what is read from now on and the events after it leave no gap; or after a
 * while without it: then everything is read again when it does.
 * @param {App} app
 */
function connected(app) {
  return new Promise((resolve) => {
    const first = (/** @type {Event} */ event) => {
      app.api.seen(/** @type {CustomEvent<number>} */ (event).detail);
      resolve(undefined);
    };
    app.live.addEventListener("resync", first, { once: true });
    setTimeout(resolve, FIRST_CONNECTION_MS);
    app.live.start();
  });
}

/** @param {unknown} error */
function show(error) {
  const message = error instanceof Error ? error.message : String(error);
  const title = error instanceof SignInFailed ? "The sign-in did not work" : "HiveSync cannot be reached";
  document.body.replaceChildren(
    h(
      "main",
      { class: "alone" },
      h("p", { class: "brand" }, icon("mark"), "HiveSync"),
      h("h1", null, title),
      h("p", null, message),
      h("button", { type: "button", class: "primary", onclick: () => location.assign("/") }, "Try again"),
    ),
  );
}

begin().catch(show);
