// The API as the pages use it: reads that show one's own writes, commands that are safe to repeat, problems as errors.

import { Session, SignedOut } from "./session.js";

/** @typedef {import("../types").Changed} Changed */
/** @typedef {Record<string, string | number | string[] | null | undefined>} Query */
/** @typedef {{query?: Query, asOf?: string | null, signal?: AbortSignal}} ReadOptions */
/** @typedef {{ifMatch?: number}} CommandOptions */

const ROOT = "/api/v1";
const ATTEMPTS_MAX = 3;

/** What the server answers when it does not do something (RFC 9457). */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} body
   */
  constructor(status, body) {
    super(body["detail"] || body["title"] || `The server answered ${status}.`);
    this.status = status;
    this.code = String(body["type"] ?? "").split("/").at(-1) ?? "";
    this.title = String(body["title"] ?? "");
    /** @type {string[]} the transitions that are possible now, of a 409 */
    this.allowed = body["allowed"] ?? [];
    /** @type {{field: string, message: string}[]} */
    this.errors = body["errors"] ?? [];
  }
}

/** The server could not be reached, or did not answer. */
export class Unreachable extends Error {
  constructor() {
    super("The server cannot be reached.");
  }
}

export class Api {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.position = 0;
  }

  /**
   * Sees to it that whatever is read from now on shows what happened up to this position.
   * @param {number} position
   */
  seen(position) {
    this.position = Math.max(this.position, position);
  }

  /**
   * @template Answer
   * @param {string} path
   * @param {ReadOptions} [options]
   * @returns {Promise<Answer>}
   */
  async get(path, options = {}) {
    const query = parameters({ ...options.query, as_of: options.asOf });
    /** @type {Record<string, string>} */
    const headers = options.asOf ? {} : { "hivesync-min-position": String(this.position) };
    const answer = await this.#fetch(`${ROOT}${path}${query}`, { headers, signal: options.signal ?? null }, true);
    return answer.json();
  }

  /**
   * Gives a command; its answer is the new version and position. The same command is never carried out twice, however
   * often it has to be sent.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {CommandOptions} [options]
   * @returns {Promise<any>}
   */
  async command(method, path, body, options = {}) {
    /** @type {Record<string, string>} */
    const headers = { "idempotency-key": randomKey() };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (options.ifMatch !== undefined) headers["if-match"] = `"${options.ifMatch}"`;
    const init = { method, headers, body: body === undefined ? null : JSON.stringify(body) };
    const answer = await this.#fetch(`${ROOT}${path}`, init, true);
    const said = answer.status === 204 ? {} : await answer.json();
    if (typeof said.position === "number") this.seen(said.position);
    return said;
  }

  /**
   * A request whose answer is read piece by piece; it is sent once.
   * @param {string} path
   * @param {RequestInit & {headers?: Record<string, string>}} init
   * @returns {Promise<Response>}
   */
  stream(path, init) {
    return this.#fetch(`${ROOT}${path}`, init, false);
  }

  /**
   * @param {string} address
   * @param {RequestInit & {headers?: Record<string, string>}} init
   * @param {boolean} mayRepeat
   * @returns {Promise<Response>}
   */
  async #fetch(address, init, mayRepeat) {
    for (let attempt = 1; ; attempt++) {
      const last = !mayRepeat || attempt >= ATTEMPTS_MAX;
      const headers = { ...init.headers, authorization: `Bearer ${await this.session.bearer()}` };
      /** @type {Response} */
      let answer;
      try {
        answer = await fetch(address, { ...init, headers });
      } catch (error) {
        if (init.signal?.aborted) throw error;
        if (last) throw new Unreachable();
        await pause(300 * attempt);
        continue;
      }
      if (answer.ok) return answer;
      if (answer.status === 401 && attempt === 1 && mayRepeat) {
        await this.session.renew();
        continue;
      }
      if (answer.status === 401) throw new SignedOut();
      if ((answer.status === 503 || answer.status === 429) && !last) {
        await pause(Math.min(5, Number(answer.headers.get("retry-after")) || 1) * 1000);
        continue;
      }
      throw new Problem(answer.status, await answer.json().catch(() => ({})));
    }
  }
}

/** @param {Query} query */
function parameters(query) {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== "") made.append(name, String(each));
    }
  }
  const text = made.toString();
  return text === "" ? "" : `?${text}`;
}

export function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
