// What the live page says: whose session it is, whether one sees what is now, and why it ended.

import { fill, h } from "../dom.js";
import { leftElement } from "../time.js";

/** @typedef {import("./link.js").Status} Status */
/** @typedef {import("../../types").HostStatus} HostStatus */
/** @typedef {import("../../types").Viewing} Viewing */
/** @typedef {import("../../types").Focus} Focus */

const AWAY_SHOWN_MS = 800;

/** @type {Record<string, string>} */
const REASONS = {
  host_ended: "The host ended the session.",
  owner_ended: "An owner of the project ended the session.",
  no_viewers: "The session ended: nobody had watched for an hour.",
  host_away: "The session ended: the host did not come back.",
  host_not_member: "The session ended: the host does not belong to the project any more.",
};

/** @type {Record<number, string>} */
const CODES = {
  1000: "You left the session.",
  4401: "The session cannot be watched with this account any more. Use your invite again.",
  4404: "Your place in the session is gone. Use your invite again.",
  4409: "You watch in another window now.",
  4441: "The session has ended.",
  4442: "You were removed from the session.",
};

/** @type {Record<string, string>} */
const GONE = {
  unknown: "This place in a session is not known any more. Use your invite again, or ask the host for another one.",
  left: "You have left the session. To come back, use your invite again.",
  away_too_long: "You were away for more than ten minutes, so your place was given up. Use your invite again.",
  removed: "The host removed you from the session.",
  not_member: "You do not belong to the session’s project any more.",
};

export class Words {
  /**
   * @param {() => void} takeOver connects here again
   * @param {() => void} another goes to where one joins a session
   */
  constructor(takeOver, another) {
    this.takeOver = takeOver;
    this.another = another;
    this.hostName = "The host";
    this.title = h("h1", null, "Live session");
    this.by = h("p", { class: "by" });
    this.heading = h("div", { class: "live-title" }, this.title, this.by);
    this.pulse = h("span", { class: "pulse", role: "status" });
    this.banner = h("div", { class: "live-banner", role: "status" });
    this.placeOfFile = h("span", { class: "place-file" });
    this.placeOfHost = h("span", { class: "place-host" });
    this.place = h("p", { class: "place" }, this.placeOfFile, this.placeOfHost);
    this.spoken = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
    this.status = /** @type {Status} */ ("connecting");
    /** @type {HostStatus} */
    this.hostStatus = { status: "here", resumes_until: null };
    /** @type {string | null} */
    this.end = null;
    this.ending = "Ended";
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.#tell();
  }

  /** @param {Viewing} viewing */
  session({ title, host_name }) {
    this.hostName = host_name;
    this.title.textContent = title === "" ? "Live session" : title;
    this.by.textContent = `shown by ${host_name}`;
    document.title = `${title === "" ? host_name : title} · Live · HiveSync`;
  }

  /** @param {Status} status */
  connection(status) {
    this.status = status;
    if (status === "live") this.end = null;
    this.#tell();
  }

  /** @param {HostStatus} status */
  host(status) {
    this.hostStatus = status;
    this.#tell();
  }

  /** @param {string} reason */
  ended(reason) {
    this.end = REASONS[reason] ?? "The session has ended.";
    this.#tell();
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  over(code, reason) {
    this.end ??= REASONS[reason] ?? GONE[reason] ?? CODES[code] ?? `The server ended the connection (${code}).`;
    this.ending = code === 4409 ? "Elsewhere" : code === 4441 ? "Ended" : "Left";
    this.#tell();
    const [text, act] = code !== 4409 ? ["Watch another session", this.another] : ["Watch here", () => {
      this.end = null;
      this.takeOver();
    }];
    this.banner.append(h("button", { type: "button", class: "plain", onclick: act }, text));
  }

  /** @param {string} file */
  hostOpened(file) {
    this.spoken.textContent = `${this.hostName} is in ${file}`;
  }

  /**
   * @param {string | null} file
   * @param {number} lines
   * @param {Focus} focus
   */
  where(file, lines, focus) {
    const head = focus.selections[0]?.end;
    const host = focus.file === null || this.end !== null ? null : focus.file !== file ? `${this.hostName} is in ${focus.file}`
      : head === undefined ? null : `${this.hostName} is at line ${head.line + 1}`;
    const about = file === null ? "" : `${file} · ${lines.toLocaleString()} ${lines === 1 ? "line" : "lines"}`;
    const beside = file === null || host === null ? "" : ` · ${host}`;
    if (this.placeOfFile.textContent !== about) this.placeOfFile.textContent = about;
    if (this.placeOfHost.textContent !== beside) this.placeOfHost.textContent = beside;
  }

  #tell() {
    const { status, end, hostStatus } = this;
    const away = status === "live" && hostStatus.status === "away";
    const [kind, text] = end !== null ? ["over", this.ending] : away ? ["waiting", "Host away"]
      : /** @type {Record<Status, [string, string]>} */ ({ connecting: ["connecting", "Connecting"], live: ["live", "Live"], away: ["away", "Offline"], over: ["over", "Ended"] })[status];
    this.pulse.className = `pulse ${kind}`;
    fill(this.pulse, h("span", { class: "dot" }), h("span", { class: "pulse-text" }, text));
    clearTimeout(this.timer);
    if (end !== null) fill(this.banner, h("p", null, end));
    else if (away) {
      const until = hostStatus.resumes_until;
      fill(this.banner, h("p", null, `${this.hostName} is away. The session waits for them`, until === null ? "." : ": ", until !== null && leftElement(until)));
    } else if (status === "away") {
      this.timer = setTimeout(() => fill(this.banner, h("p", null, "The connection is lost. What you see may be old; it goes on by itself.")), AWAY_SHOWN_MS);
    } else fill(this.banner);
  }
}
