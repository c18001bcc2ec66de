// The connection of a viewer: it can say who watches, ask for everything anew, and leave. It has no words for more.

/** @typedef {import("../../types").LiveMessage} Message */
/** @typedef {import("./shown.js").Place} Place */
/** @typedef {"connecting" | "live" | "away" | "over"} Status */
/** @typedef {{viewer_token: string, session_id: string, project_id: string, account: boolean}} Viewer what joining gave */

const PAUSE_MIN_MS = 200;
const PAUSE_MAX_MS = 5000;
const PULSES_MISSED_MAX = 2.5;
const SHOW_A_TOKEN = new Set([4401, 4410, 4419]);
const OVER = new Set([4400, 4403, 4404, 4405, 4409, 4441, 4442]);

/** Tells of `message`, `status`, `lost` and `over` (the close code and its reason). */
export class Link extends EventTarget {
  /**
   * @param {Viewer} viewer
   * @param {() => Place | null} place
   * @param {import("../session.js").Session | null} session of who watches with an account
   */
  constructor(viewer, place, session) {
    super();
    this.viewer = viewer;
    this.place = place;
    this.session = session;
    /** @type {Status} */
    this.status = "connecting";
    /** @type {WebSocket | null} */
    this.socket = null;
    this.failures = 0;
    this.heartbeatMs = 20_000;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.retry = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.pulse = undefined;
    session?.addEventListener("renewed", () => this.#renew());
    addEventListener("online", () => this.#hurry());
    addEventListener("offline", () => this.socket?.close());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
  }

  get over() {
    return this.status === "over";
  }

  /** Connects, and again whenever the connection is lost. */
  start() {
    clearTimeout(this.retry);
    if (this.status === "over") this.#become("connecting");
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live`);
    this.socket = socket;
    socket.addEventListener("open", () => this.#introduce(socket));
    socket.addEventListener("message", (message) => this.socket === socket && this.#hear(JSON.parse(message.data)));
    socket.addEventListener("close", (close) => this.socket === socket && this.#lost(close.code, close.reason));
    this.#expectPulse();
  }

  /** Asks for everything anew. */
  resync() {
    this.#send("live.resync", {});
  }

  /** Goes for good. */
  leave() {
    this.#send("live.leave", {});
    this.#end(1000, "");
  }

  /** @param {WebSocket} socket */
  async #introduce(socket) {
    try {
      const token = this.viewer.account && this.session !== null ? { token: await this.session.bearer() } : {};
      if (this.socket === socket) this.#send("live.view", { viewer_token: this.viewer.viewer_token, ...token, ...this.place() });
    } catch {
      socket.close();
    }
  }

  async #renew() {
    if (this.status !== "live" || !this.viewer.account || this.session === null) return;
    this.#send("live.renew", { token: await this.session.bearer() });
  }

  /**
   * @param {keyof import("../../types").FromViewer} event_type
   * @param {Record<string, unknown>} payload
   */
  #send(event_type, payload) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ event_type, payload }));
  }

  /** @param {Message} message */
  #hear(message) {
    this.#expectPulse();
    if (message.event_type === "live.viewing") {
      this.heartbeatMs = message.payload.heartbeat_s * 1000;
      this.failures = 0;
      this.#become("live");
    }
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  #expectPulse() {
    clearTimeout(this.pulse);
    this.pulse = setTimeout(() => {
      // The other end may be gone without a word.
      const socket = this.socket;
      this.#lost(0, "");
      socket?.close();
    }, this.heartbeatMs * PULSES_MISSED_MAX);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  async #lost(code, reason) {
    this.socket = null;
    clearTimeout(this.pulse);
    if (OVER.has(code) || (SHOW_A_TOKEN.has(code) && this.session === null)) {
      this.#end(code, reason);
      return;
    }
    this.#become("away");
    this.dispatchEvent(new Event("lost"));
    if (SHOW_A_TOKEN.has(code)) {
      try {
        await this.session?.renew();
      } catch {
        // Either nobody is signed in any more, which the session tells, or the server is away.
      }
    }
    if (this.socket !== null || this.over) return;
    const longest = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** this.failures * (code === 4429 ? 8 : 1));
    this.failures += 1;
    this.retry = setTimeout(() => this.start(), longest * (0.5 + Math.random() / 2));
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #end(code, reason) {
    clearTimeout(this.retry);
    clearTimeout(this.pulse);
    const socket = this.socket;
    this.socket = null;
    socket?.close(1000);
    this.#become("over");
    this.dispatchEvent(new CustomEvent("over", { detail: { code, reason } }));
  }

  #hurry() {
    if (this.status === "away" && this.socket === null) {
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
