// The names behind account ids, asked for together and shown wherever they stand on the page.

import { Api } from "./api.js";
import { fill, h, hue } from "./dom.js";

const IDS_MAX = 100;
const UNKNOWN = "somebody";

export class People {
  /** @param {Api} api */
  constructor(api) {
    this.api = api;
    /** @type {Map<string, string>} */
    this.names = new Map();
    /** @type {Set<string>} */
    this.wanted = new Set();
    this.asking = false;
  }

  /**
   * @param {string} id
   * @returns {string} the name, or a stand-in until it is known
   */
  name(id) {
    if (id === "system") return "HiveSync";
    const name = this.names.get(id);
    if (name === undefined) this.#want(id);
    return name ?? "…";
  }

  /**
   * @param {string} id
   * @param {string} name
   */
  learn(id, name) {
    this.names.set(id, name);
    this.#show(id, name);
  }

  /**
   * A person's name as an element that fills in by itself.
   * @param {string} id
   */
  element(id) {
    return h("span", { class: "person", "data-person": id }, this.name(id));
  }

  /**
   * A person as a round mark with initials; the name is said to who does not see it.
   * @param {string} id
   */
  avatar(id) {
    return this.#mark(id, {});
  }

  /**
   * The same beside the name itself, where saying it twice would be once too often.
   * @param {string} id
   */
  decoration(id) {
    return this.#mark(id, { "aria-hidden": "true" });
  }

  /**
   * @param {string} id
   * @param {Record<string, string>} more
   */
  #mark(id, more) {
    const mark = h("span", { class: `avatar ${hue(id)}`, "data-avatar": id, ...more });
    draw(mark, this.name(id));
    return mark;
  }

  /** @param {string} id */
  #want(id) {
    this.wanted.add(id);
    if (!this.asking) {
      this.asking = true;
      queueMicrotask(() => setTimeout(() => this.#ask(), 0));
    }
  }

  async #ask() {
    this.asking = false;
    const ids = [...this.wanted].slice(0, IDS_MAX);
    for (const id of ids) this.wanted.delete(id);
    if (ids.length === 0) return;
    try {
      /** @type {import("../types").PeopleAnswer} */
      const answer = await this.api.get("/people", { query: { ids: ids.join(",") } });
      const known = new Map(answer.people.map((person) => [person.account_id, person.name]));
      for (const id of ids) this.learn(id, known.get(id) ?? UNKNOWN);
    } catch {
      // They keep their stand-in; whoever looks next asks again.
    }
    if (this.wanted.size > 0) await this.#ask();
  }

  /**
   * @param {string} id
   * @param {string} name
   */
  #show(id, name) {
    for (const element of document.querySelectorAll(`[data-person="${CSS.escape(id)}"]`)) element.textContent = name;
    for (const element of document.querySelectorAll(`[data-avatar="${CSS.escape(id)}"]`)) {
      draw(/** @type {HTMLElement} */ (element), name);
    }
    for (const option of document.querySelectorAll(`option[data-option-person="${CSS.escape(id)}"]`)) {
      option.textContent = name;
    }
  }
}

/**
 * @param {HTMLElement} mark
 * @param {string} name
 */
function draw(mark, name) {
  mark.title = name;
  const decoration = mark.getAttribute("aria-hidden") === "true";
  fill(mark, h("span", { "aria-hidden": "true" }, initials(name)), !decoration && h("span", { class: "unseen" }, name));
}

/** @param {string} name */
function initials(name) {
  const words = name.replace(/[^\p{L}\p{N} ]/gu, " ").trim().split(/\s+/);
  const letters = [words[0]?.[0] ?? "?", words.length > 1 ? words.at(-1)?.[0] ?? "" : ""];
  return letters.join("").toUpperCase();
}
