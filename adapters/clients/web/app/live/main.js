// The beginning of the live page: where the person left off, by membership, or by an invite.

import { Problem } from "../api.js";
import { h } from "../dom.js";
import { explained } from "../notices.js";
import { Session, goToSignIn } from "../session.js";
import { startClock } from "../time.js";
import { Entry } from "./entry.js";
import { join, joinAsMember } from "./joining.js";
import { forgetInvite, forgetViewer, keepViewer, keptViewer, takeInvite } from "./kept.js";
import { Watch } from "./watch.js";

/** @typedef {import("./link.js").Viewer} Viewer */

const wanted = new URLSearchParams(location.search).get("session");

async function begin() {
  const invite = takeInvite();
  const session = await Session.resume();
  const kept = keptViewer();
  if (kept !== null && (wanted === null || wanted === kept.session_id) && (!kept.account || session !== null)) {
    watch(kept, session);
  } else if (invite === null && wanted !== null) {
    await enterAsMember(wanted, session);
  } else {
    enter(invite, session);
  }
}

/**
 * @param {string} sessionId
 * @param {Session | null} session
 */
async function enterAsMember(sessionId, session) {
  if (session === null) await goToSignIn();
  else watch(await joinAsMember(sessionId, session), session);
}

/**
 * @param {string | null} invite
 * @param {Session | null} session
 */
function enter(invite, session) {
  const entry = new Entry(invite, session, async (used, name) => {
    watch(await join(used, name === null ? session : null, name), session);
  }, () => {
    forgetInvite();
    enter(null, session);
  });
  document.body.replaceChildren(entry.element);
  entry.focus();
}

/**
 * @param {Viewer} viewer
 * @param {Session | null} session
 */
function watch(viewer, session) {
  keepViewer(viewer);
  const page = new Watch(viewer, viewer.account ? session : null);
  page.addEventListener("gone", () => {
    forgetViewer();
    history.replaceState(null, "", location.pathname);
  });
  document.body.replaceChildren(...page.elements);
}

/** @param {unknown} error */
function show(error) {
  if (error instanceof Problem && error.status === 404) forgetInvite();
  document.body.replaceChildren(
    h(
      "main",
      { class: "alone" },
      h("h1", null, "The live session cannot be shown"),
      ...explained(error),
      h("button", { type: "button", class: "primary", onclick: () => location.reload() }, "Try again"),
    ),
  );
}

startClock();
begin().catch(show);
