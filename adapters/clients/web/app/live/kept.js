// What this tab keeps over a reload: an invite until it is used, and afterwards the place in the session.
//
// Both are secrets. They are in this tab's storage alone, and never in an address that is sent or shown.

/** @typedef {import("./link.js").Viewer} Viewer */

const INVITE = "hivesync.live.invite";
const VIEWER = "hivesync.live.viewer";
const TOKEN = /^[A-Za-z0-9_-]{20,200}$/;

/** The invite that the address brought, or that was kept on the way to the sign-in. The address loses it at once. */
export function takeInvite() {
  const brought = inviteIn(location.hash.slice(1));
  if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
  if (brought !== null) {
    sessionStorage.setItem(INVITE, brought);
    sessionStorage.removeItem(VIEWER);
  }
  return sessionStorage.getItem(INVITE);
}

export function forgetInvite() {
  sessionStorage.removeItem(INVITE);
}

/**
 * The invite in what somebody pasted: a deep link, a link to this page, or the invite alone.
 * @param {string} text
 * @returns {string | null}
 */
export function inviteIn(text) {
  const last = text.trim().split(/[#/]/).at(-1) ?? "";
  return TOKEN.test(last) ? last : null;
}

/** @param {Viewer} viewer */
export function keepViewer(viewer) {
  forgetInvite();
  sessionStorage.setItem(VIEWER, JSON.stringify(viewer));
}

/** @returns {Viewer | null} */
export function keptViewer() {
  const kept = sessionStorage.getItem(VIEWER);
  return kept === null ? null : JSON.parse(kept);
}

export function forgetViewer() {
  sessionStorage.removeItem(VIEWER);
}
