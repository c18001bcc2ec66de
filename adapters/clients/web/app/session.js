// Who is signed in here: OAuth's authorization code with PKCE against our own server.
//
// The access token lives in this page's memory alone. What renews it is in a cookie that no script can read.

import { sha256 } from "./sha256.js";

/** @typedef {import("../types").WebTokenAnswer} Token */
/** @typedef {{state: string, verifier: string, from: string}} Attempt */

const CLIENT_ID = "hivesync-web";
const CALLBACK = "/callback";
const SCOPES = "read write live";
const ATTEMPT = "hivesync.sign-in";
const SESSION = "/api/v1/web/session";
const RENEW_BEFORE_S = 60;

/** Signing in could not be finished; the message is for people. */
export class SignInFailed extends Error {}

/** Nobody is signed in any more. */
export class SignedOut extends Error {}

export class Session extends EventTarget {
  /** @param {Token} token */
  constructor(token) {
    super();
    this.accountId = token.account_id;
    /** @type {Token} */
    this.token = token;
    this.endsAt = 0;
    /** @type {Promise<void> | null} */
    this.renewing = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.#take(token);
  }

  /**
   * The session of this page: from the code that it came with, or from the browser's cookie. None where the browser is on
   * its way to the sign-in.
   * @returns {Promise<Session | null>}
   */
  static async begin() {
    if (location.pathname === CALLBACK) return new Session(await exchanged());
    const session = await Session.resume();
    if (session === null) await goToSignIn();
    return session;
  }

  /**
   * The session of the browser's cookie; none where nobody is signed in.
   * @returns {Promise<Session | null>}
   */
  static async resume() {
    const answer = await alone(() => post(`${SESSION}/renew`));
    if (!answer.ok) throw new SignInFailed(await said(answer));
    return answer.status === 200 ? new Session(await answer.json()) : null;
  }

  /** A token that is good for a while; raises `SignedOut`. */
  async bearer() {
    if (Date.now() > this.endsAt - 5000) await this.renew();
    return this.token.access_token;
  }

  /** Gets a new token, once for all who ask; raises `SignedOut`. */
  async renew() {
    this.renewing ??= this.#renew().finally(() => {
      this.renewing = null;
    });
    await this.renewing;
  }

  async #renew() {
    // One tab at a time: the cookie is good once, and the next tab has to send the one that came back.
    const answer = await alone(() => post(`${SESSION}/renew`));
    if (answer.status === 204) {
      this.dispatchEvent(new Event("ended"));
      throw new SignedOut();
    }
    if (!answer.ok) throw new Error(await said(answer));
    /** @type {Token} */
    const token = await answer.json();
    if (token.account_id !== this.accountId) {
      // Another tab signed somebody else in.
      location.reload();
    }
    this.#take(token);
    this.dispatchEvent(new Event("renewed"));
  }

  /** Ends the session, here and on the server. */
  async end() {
    clearTimeout(this.timer);
    await post(`${SESSION}/end`);
  }

  /** @param {Token} token */
  #take(token) {
    this.token = token;
    this.endsAt = Date.now() + token.expires_in * 1000;
    clearTimeout(this.timer);
    const wait = Math.max(1, token.expires_in - RENEW_BEFORE_S);
    this.timer = setTimeout(() => this.renew().catch(() => undefined), wait * 1000);
  }
}

/** Sends the browser to the sign-in, and back to where it is now. */
export async function goToSignIn() {
  const metadata = await (await fetch("/.well-known/oauth-authorization-server")).json();
  const from = location.pathname === CALLBACK ? "/" : location.pathname + location.search;
  if (new URL(metadata.issuer).origin !== location.origin) {
    // Signing in works at the server's own address only.
    location.replace(metadata.issuer + from);
    return;
  }
  /** @type {Attempt} */
  const attempt = { state: random(), verifier: random() + random(), from };
  sessionStorage.setItem(ATTEMPT, JSON.stringify(attempt));
  const challenge = base64url(await sha256(new TextEncoder().encode(attempt.verifier)));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT_ID,
    redirect_uri: location.origin + CALLBACK,
    scope: SCOPES,
    state: attempt.state,
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  location.replace(`${metadata.authorization_endpoint}?${query}`);
}

/** @returns {Promise<Token>} */
async function exchanged() {
  const query = new URLSearchParams(location.search);
  const kept = sessionStorage.getItem(ATTEMPT);
  sessionStorage.removeItem(ATTEMPT);
  /** @type {Attempt | null} */
  const attempt = kept === null ? null : JSON.parse(kept);
  // The address is changed at once: a code does not belong into a history or a bookmark.
  history.replaceState(null, "", attempt?.from ?? "/");
  if (query.has("error")) {
    throw new SignInFailed(query.get("error") === "access_denied" ? "You said no." : query.get("error_description") ?? "");
  }
  if (attempt === null || query.get("state") !== attempt.state || query.get("iss") !== location.origin) {
    throw new SignInFailed("This answer belongs to another attempt to sign in.");
  }
  const answer = await post(SESSION, { code: query.get("code") ?? "", code_verifier: attempt.verifier });
  if (!answer.ok) throw new SignInFailed(await said(answer));
  return answer.json();
}

/**
 * @param {string} path
 * @param {unknown} [body]
 */
function post(path, body) {
  const headers = { "content-type": "application/json" };
  return fetch(path, { method: "POST", credentials: "same-origin", headers, body: body ? JSON.stringify(body) : null });
}

/**
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
function alone(work) {
  return navigator.locks === undefined ? work() : navigator.locks.request("hivesync.renew", work);
}

/** @param {Response} answer */
async function said(answer) {
  const problem = await answer.json().catch(() => ({}));
  return problem.detail ?? `The server answered ${answer.status}.`;
}

function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
