// Joining a live session: as a guest or with an account by an invite, or as a member of its project.

import { Api, Problem, Unreachable } from "../api.js";
import { Session } from "../session.js";

/** @typedef {import("./link.js").Viewer} Viewer */
/** @typedef {import("../../types").LiveJoined} LiveJoined */

/**
 * Uses an invite; without a session, as a guest of this name.
 * @param {string} invite
 * @param {Session | null} session
 * @param {string | null} name
 * @returns {Promise<Viewer>}
 */
export async function join(invite, session, name) {
  if (session !== null) return viewerOf(await new Api(session).command("POST", "/live/join", { invite }), true);
  return viewerOf(await asked("/live/join-as-guest", { invite, name }), false);
}

/**
 * @param {string} sessionId
 * @param {Session} session
 * @returns {Promise<Viewer>}
 */
export async function joinAsMember(sessionId, session) {
  return viewerOf(await new Api(session).command("POST", `/live-sessions/${encodeURIComponent(sessionId)}/viewers`, {}), true);
}

/**
 * @param {LiveJoined} joined
 * @param {boolean} account
 * @returns {Viewer}
 */
function viewerOf({ session_id, project_id, viewer_token }, account) {
  return { session_id, project_id, viewer_token, account };
}

/**
 * @param {string} path
 * @param {unknown} body
 * @returns {Promise<LiveJoined>}
 */
async function asked(path, body) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method: "POST",
      credentials: "omit",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Unreachable();
  }
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return answer.json();
}
