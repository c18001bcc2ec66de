// The live connection: every event of one's projects as it is committed, resumed by position, with a watch on its pulse.

import { Session } from "./session.js";

/** @typedef {import("../types").EventMessage} EventMessage */
/** @typedef {import("../types").OtherMessage} OtherMessage */
/** @typedef {"connecting" | "live" | "away"} Status */

const PAUSE_MIN_MS = 400;
const PAUSE_MAX_MS = 30_000;
const PULSES_MISSED_MAX = 2.5;
const SLOW_DOWN = new Set([1012, 1013, 4429, 4430]);

/**
 * Tells of `event` (an event of the log), `resync` (something may have been missed: read anew), and `status`.
 */
export class Live extends EventTarget {
  /** @param {Session} session */
  constructor(session) {
    super();
    this.session = session;
    /** @type {Status} */
    this.status = "connecting";
    /** @type {number | null} */
    this.position = null;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.failures = 0;
    this.heartbeatMs = 20_000;
    this.stopped = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.retry = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.pulse = undefined;
    session.addEventListener("renewed", () => this.#authenticate(false));
    addEventListener("online", () => this.#hurry());
    addEventListener("offline", () => this.socket?.close());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
  }

  /** Connects, and again whenever the connection is lost. */
  start() {
    clearTimeout(this.retry);
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    this.socket = socket;
    socket.addEventListener("open", () => this.#authenticate(true));
    socket.addEventListener("message", (message) => this.#hear(JSON.parse(message.data)));
    socket.addEventListener("close", (close) => {
      if (this.socket === socket) this.#lost(close.code);
    });
    this.#expectPulse();
  }

  /** Disconnects for good. */
  stop() {
    this.stopped = true;
    clearTimeout(this.retry);
    clearTimeout(this.pulse);
    this.socket?.close(1000);
  }

  /** @param {boolean} first */
  async #authenticate(first) {
    const socket = this.socket;
    if (socket === null || (!first && this.status !== "live")) return;
    try {
      const token = await this.session.bearer();
      const after = first && this.position !== null ? { after: this.position } : {};
      if (socket.readyState === WebSocket.OPEN) {
        socket.send(JSON.stringify({ event_type: "auth", payload: { token, ...after } }));
      }
    } catch {
      socket.close();
    }
  }

  /** @param {EventMessage | OtherMessage} message */
  #hear(message) {
    this.#expectPulse();
    const fresh = this.position === null;
    if (message.event_type === "auth.accepted") {
      this.heartbeatMs = message.payload.heartbeat_s * 1000;
      this.failures = 0;
      this.#become("live");
    }
    if (typeof message.position === "number") this.position = message.position;
    if ("event_id" in message) this.dispatchEvent(new CustomEvent("event", { detail: message }));
    else if (message.event_type === "resync" || (message.event_type === "auth.accepted" && fresh)) {
      this.dispatchEvent(new CustomEvent("resync", { detail: message.position }));
    }
  }

  #expectPulse() {
    clearTimeout(this.pulse);
    this.pulse = setTimeout(() => {
      // The other end may be gone without a word.
      const socket = this.socket;
      this.socket = null;
      socket?.close();
      this.#lost(0);
    }, this.heartbeatMs * PULSES_MISSED_MAX);
  }

  /** @param {number} code */
  async #lost(code) {
    this.socket = null;
    clearTimeout(this.pulse);
    if (this.stopped) return;
    this.#become("away");
    if (code === 4401 || code === 4410 || code === 4419) {
      try {
        await this.session.renew();
      } catch {
        // Either nobody is signed in any more, which the session tells, or the server is away.
      }
    }
    const longest = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** this.failures * (SLOW_DOWN.has(code) ? 4 : 1));
    this.failures += 1;
    this.retry = setTimeout(() => this.start(), longest * (0.5 + Math.random() / 2));
  }

  #hurry() {
    if (this.status === "away" && this.socket === null && !this.stopped) {
      this.failures = 0;
      this.start();
    }
  }

  /** @param {Status} status */
  #become(status) {
    if (this.status === status) return;
    this.status = status;
    this.dispatchEvent(new Event("status"));
  }
}
