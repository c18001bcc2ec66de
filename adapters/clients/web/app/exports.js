// Exports of a project's history: asked for, watched, fetched with what proves them.

import { fill, h, soon } from "./dom.js";
import { field, openForm, select } from "./dialog.js";
import { icon } from "./icons.js";
import { explained } from "./notices.js";
import { Scope } from "./scope.js";
import { agoElement, duration } from "./time.js";

/** @typedef {import("../types").ShownExport} Export */
/** @typedef {import("../types").ExportPage} ExportPage */
/** @typedef {import("./app.js").EventMessage} EventMessage */

const WATCH_MS = 700;
const REFRESH_MS = 150;
const PAGE = 100;

/** @type {Record<Export["status"], string>} */
const STATUS = { requested: "Being written", completed: "Ready", failed: "Failed", cancelled: "Cancelled", removed: "Removed" };

export class Exports {
  /** @param {Scope} scope */
  constructor(scope) {
    this.scope = scope;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.list = h("ul", { class: "exports" });
    this.state = h("div", { class: "state" }, h("p", { class: "soft" }, "Loading…"));
    this.element = h(
      "div",
      { class: "page" },
      h(
        "div",
        { class: "title-bar" },
        h("div", null, h("h2", null, "Exports"), h("p", { class: "soft" }, "Replayed from the log alone. The same part of it gives the same bytes, and the manifest proves them.")),
        h("button", { type: "button", class: "primary", "data-key-new": "", onclick: () => this.#ask() }, icon("plus"), "New export"),
      ),
      this.list,
      this.state,
    );
    this.refresh = soon(() => this.#load(), REFRESH_MS);
  }

  async show() {
    await this.#load();
  }

  /** @param {EventMessage} event */
  hear(event) {
    if (event.event_type.startsWith("export.")) this.refresh();
  }

  renew() {
    this.refresh();
  }

  leave() {
    clearTimeout(this.timer);
  }

  async #load() {
    clearTimeout(this.timer);
    const { api } = this.scope.app;
    try {
      /** @type {ExportPage} */
      const page = await api.get("/exports", { query: { limit: PAGE } });
      const own = page.items.filter((each) => each.project_id === this.scope.id);
      const shown = await Promise.all(own.map((each) => (each.status === "requested" ? api.get(`/exports/${each.export_id}`) : each)));
      const focused = document.activeElement?.getAttribute("data-focus") ?? null;
      fill(this.list, ...shown.map((each) => this.#item(/** @type {Export} */ (each))));
      if (focused !== null) /** @type {HTMLElement | null} */ (this.list.querySelector(`[data-focus="${focused}"]`))?.focus();
      fill(this.state, shown.length === 0 && h("p", { class: "nothing" }, "Nothing was exported yet."));
      if (own.some((each) => each.status === "requested")) this.timer = setTimeout(this.refresh, WATCH_MS);
    } catch (error) {
      fill(this.state, ...explained(error));
    }
  }

  /** @param {Export} made */
  #item(made) {
    const { people } = this.scope.app;
    const progress = made.progress ?? null;
    return h(
      "li",
      { class: "card-box export" },
      h(
        "div",
        { class: "export-head" },
        h("strong", null, made.format.toUpperCase()),
        h("span", { class: `state-chip ${made.status}` }, STATUS[made.status]),
        h("span", { class: "soft" }, people.element(made.requested_by), ", ", agoElement(made.requested_at), `, up to position ${made.through}`),
      ),
      progress !== null &&
        h("div", null,
          h("progress", { max: 1, value: progress.fraction, "aria-label": "How far the export is" }),
          h("p", { class: "progress-text" }, `${progress.rows.toLocaleString()} rows · ${Math.round(progress.rows_per_s).toLocaleString()} a second`, progress.time_left_s === null ? "" : ` · ${duration(progress.time_left_s)} left`)),
      made.cause !== null && h("p", null, made.cause),
      made.status === "completed" &&
        h("p", { class: "soft" }, `${(made.rows ?? 0).toLocaleString()} rows, ${size(made.size_bytes ?? 0)}. SHA-256 `, h("code", { class: "hash" }, made.sha256 ?? "")),
      h("div", { class: "button-row" }, ...this.#buttons(made)),
    );
  }

  /** @param {Export} made */
  #buttons(made) {
    const { app } = this.scope;
    const path = `/exports/${made.export_id}`;
    const button = (/** @type {string} */ text, /** @type {string} */ weight, /** @type {() => void} */ act) =>
      h("button", { type: "button", class: weight, "data-focus": `${made.export_id} ${text}`, onclick: act }, text);
    if (made.status === "requested") {
      return [button("Cancel", "quiet", () => app.attempt(() => app.api.command("POST", `${path}/cancel`), "The export is cancelled."))];
    }
    if (made.status !== "completed") return [];
    const name = `${made.export_id}.${made.format}`;
    return [
      button("Download", "plain", () => this.#download(`${path}/file`, name)),
      button("Manifest", "quiet", () => this.#download(`${path}/manifest`, `${name}.manifest.json`)),
      button("Proof", "quiet", () => this.#download(`${path}/proof`, `${name}.proof`)),
      button("Remove", "quiet", () => app.attempt(() => app.api.command("DELETE", path), "The file is removed. That it was made stays in the history.")),
    ];
  }

  /**
   * @param {string} path
   * @param {string} name
   */
  async #download(path, name) {
    await this.scope.app.attempt(async () => {
      const answer = await this.scope.app.api.stream(path, {});
      const said = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1];
      const address = URL.createObjectURL(await answer.blob());
      const link = h("a", { href: address, download: said ?? name, hidden: true });
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
    });
  }

  #ask() {
    const { app, id } = this.scope;
    const format = select([["csv", "CSV, for spreadsheets"], ["txt", "Text, for reading"], ["jsonl", "JSON Lines (CloudEvents)"]], "csv");
    const since = h("input", { type: "date" });
    const until = h("input", { type: "date" });
    openForm("New export", [field("Form", format), h("div", { class: "field-pair" }, field("From", since, "May stay empty."), field("Before", until, "May stay empty."))], {
      button: "Export",
      act: async () => {
        const body = { format: format.value, project_id: id, since: begin(since.value), until: begin(until.value) };
        const made = await app.api.command("POST", "/exports", body);
        app.api.seen(made.through);
        this.refresh();
      },
    });
  }
}

/** @param {string} date */
function begin(date) {
  return date === "" ? null : new Date(`${date}T00:00:00`).toISOString();
}

/** @param {number} bytes */
function size(bytes) {
  const units = ["bytes", "KB", "MB", "GB"];
  let at = 0;
  let amount = bytes;
  while (amount >= 1000 && at < units.length - 1) {
    amount /= 1000;
    at += 1;
  }
  return `${at === 0 ? amount : amount.toFixed(1)} ${units[at]}`;
}
