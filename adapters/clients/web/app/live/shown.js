// What a live session shows: its files, where the host is, and whether this is exactly what the host has.

import { DoesNotFit, LiveText, digestOf } from "./text.js";

/** @typedef {import("../../types").LiveMessage} Message */
/** @typedef {import("../../types").Focus} Focus */
/** @typedef {import("../../types").HostStatus} HostStatus */
/** @typedef {import("./text.js").Edit} Edit */
/** @typedef {{epoch: number, seq: number}} Place */

/**
 * @typedef {object} Picture
 * @property {Map<string, {text: LiveText, language: string}>} files in the order in which they were opened
 * @property {Map<string, {version: number, language: string, sha256: string, parts: string[], left: number}>} arriving
 * @property {Focus} focus
 * @property {HostStatus} host
 */

/** What has a number of its own; only these say up to where the session is known here. */
const NUMBERED = new Set(["live.file", "live.text", "live.patch", "live.closed", "live.renamed", "live.focus", "live.host_status"]);

/** @returns {Picture} */
const nothing = () => ({
  files: new Map(),
  arriving: new Map(),
  focus: { file: null, selections: [], visible: null },
  host: { status: "here", resumes_until: null },
});

/**
 * Tells of `files` (which there are), `text` (a file's text is another one: its name), `edits` (a file was changed: its
 * name and the edits), `focus`, `host`, and `doubt` (ask for everything anew).
 */
export class Shown extends EventTarget {
  constructor() {
    super();
    this.now = nothing();
    /** @type {Place | null} what was heard of: from here on the session can be resumed */
    this.place = null;
    /** @type {{epoch: number, picture: Picture} | null} a snapshot that has not come whole */
    this.coming = null;
    this.doubted = false;
    /** @type {Map<string, {text: LiveText, is: string, sha256: string}>} the last look at each file that is looked at */
    this.checks = new Map();
  }

  get files() {
    return this.now.files;
  }

  get focus() {
    return this.now.focus;
  }

  get host() {
    return this.now.host;
  }

  /** The connection was lost: what had not come whole will not. */
  interrupted() {
    if (this.coming !== null || this.doubted) this.place = null;
    this.coming = null;
    this.doubted = false;
  }

  /** @param {Message} message */
  hear(message) {
    if (message.event_type === "live.snapshot") {
      this.coming = { epoch: message.payload.epoch, picture: nothing() };
      return;
    }
    if (message.event_type === "live.snapshot_end") {
      this.#replace(message.seq);
      return;
    }
    if (this.doubted && this.coming === null) return;
    try {
      this.#change(message, this.coming?.picture ?? this.now);
    } catch (error) {
      if (!(error instanceof DoesNotFit)) throw error;
      this.#doubt();
    }
    if (this.coming === null && this.place !== null && NUMBERED.has(message.event_type)) this.place.seq = message.seq;
  }

  /** @param {number} seq */
  #replace(seq) {
    if (this.coming === null) return;
    const { epoch, picture } = this.coming;
    this.now = picture;
    this.place = { epoch, seq };
    this.coming = null;
    this.doubted = false;
    this.#tell("files");
    for (const name of picture.files.keys()) this.#tell("text", { name });
    this.#tell("host");
    this.#tell("focus");
  }

  /**
   * @param {Message} message
   * @param {Picture} picture
   */
  #change({ event_type, payload }, picture) {
    switch (event_type) {
      case "live.file":
        picture.arriving.set(payload.file, { ...payload, parts: [], left: payload.parts });
        if (payload.parts === 0) this.#arrived(payload.file, picture);
        break;
      case "live.text": {
        const file = picture.arriving.get(payload.file);
        if (file === undefined) throw new DoesNotFit("a part of a file that is not coming");
        file.parts[payload.part] = payload.text;
        file.left -= 1;
        if (file.left === 0) this.#arrived(payload.file, picture);
        break;
      }
      case "live.patch": {
        const file = picture.files.get(payload.file);
        if (file === undefined) throw new DoesNotFit("a change of a file that is not there");
        const edits = file.text.apply(payload.base_version, payload.version, payload.changes);
        this.#tell("edits", { name: payload.file, edits });
        if (payload.sha256_after) this.#check(payload.file, file.text, payload.sha256_after);
        break;
      }
      case "live.closed":
        picture.files.delete(payload.file);
        picture.arriving.delete(payload.file);
        this.#tell("files");
        break;
      case "live.renamed": {
        picture.files = renamed(picture.files, payload.file, payload.to);
        picture.arriving = renamed(picture.arriving, payload.file, payload.to);
        if (picture.focus.file === payload.file) picture.focus = { ...picture.focus, file: payload.to };
        this.#tell("renamed", { name: payload.file, to: payload.to });
        this.#tell("files");
        break;
      }
      case "live.focus":
        picture.focus = payload;
        if (picture === this.now) this.#tell("focus");
        break;
      case "live.host_status":
        picture.host = payload;
        if (picture === this.now) this.#tell("host");
        break;
    }
  }

  /**
   * @param {string} name
   * @param {Picture} picture
   */
  #arrived(name, picture) {
    const file = picture.arriving.get(name);
    if (file === undefined) return;
    picture.arriving.delete(name);
    const text = new LiveText(file.parts.join(""), file.version);
    picture.files.set(name, { text, language: file.language });
    this.#check(name, text, file.sha256);
    if (picture !== this.now) return;
    this.#tell("files");
    this.#tell("text", { name });
  }

  /**
   * Looks whether the text is the host's. One look at a file at a time: of those that come meanwhile the last one counts,
   * for whoever has diverged stays so.
   * @param {string} name
   * @param {LiveText} text
   * @param {string} sha256
   */
  async #check(name, text, sha256) {
    const is = text.toString();
    const busy = this.checks.has(name);
    this.checks.set(name, { text, is, sha256 });
    if (busy) return;
    for (let check = this.checks.get(name); check !== undefined; ) {
      const same = (await digestOf(check.is)) === check.sha256;
      if (!same && [this.now, this.coming?.picture].some((picture) => picture?.files.get(name)?.text === check?.text)) this.#doubt();
      const next = this.checks.get(name);
      check = next === check ? undefined : next;
    }
    this.checks.delete(name);
  }

  #doubt() {
    if (this.doubted) return;
    this.doubted = true;
    this.coming = null;
    this.#tell("doubt");
  }

  /**
   * @param {string} type
   * @param {{name: string, edits?: Edit[], to?: string}} [detail]
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * The same in the same order, with one under another name.
 * @template T
 * @param {Map<string, T>} files
 * @param {string} name
 * @param {string} to
 * @returns {Map<string, T>}
 */
function renamed(files, name, to) {
  return new Map([...files].map(([known, file]) => [known === name ? to : known, file]));
}
