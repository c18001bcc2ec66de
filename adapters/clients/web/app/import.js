// Taking in tasks from another system: a file, what came of a rehearsal, and how far the import is.

import { fill, h } from "./dom.js";
import { field, select } from "./dialog.js";
import { explained } from "./notices.js";
import { Scope } from "./scope.js";
import { duration } from "./time.js";

/** @typedef {import("../types").ImportLine} Line */
/** @typedef {import("../types").ImportProgress} Progress */
/** @typedef {import("../types").ImportReport} Report */

const BAD_ROWS_SHOWN = 100;

export class ImportView {
  /** @param {Scope} scope */
  constructor(scope) {
    this.scope = scope;
    this.file = h("input", { type: "file", required: true, accept: ".json,.jsonl,.ndjson,.csv,.gz", onchange: () => this.#guess() });
    this.format = select([["github", "GitHub issues (JSON)"], ["csv", "CSV with a header"]], "github");
    this.rehearse = h("input", { type: "checkbox", id: "rehearse" });
    this.start = h("button", { type: "submit", class: "primary" }, "Import");
    this.bar = h("progress", { max: 1, "aria-label": "Import" });
    this.text = h("p", { class: "progress-text" });
    this.progress = h("div", { class: "card-box", hidden: true }, this.bar, this.text);
    this.result = h("div", { role: "status" });
    this.element = h(
      "div",
      { class: "page narrow" },
      h(
        "form",
        {
          class: "card-box",
          onsubmit: (/** @type {SubmitEvent} */ event) => {
            event.preventDefault();
            this.#run();
          },
        },
        h("h2", null, "Import tasks"),
        h("p", { class: "soft" }, "Importing the same file again adds what is missing and doubles nothing."),
        field("File", this.file, "An export of GitHub’s issues as JSON or JSON Lines, or a CSV file; may be packed with gzip."),
        field("Form", this.format),
        h("div", { class: "check" }, this.rehearse, h("label", { for: "rehearse" }, "Rehearse only: store nothing, and name every bad row")),
        this.start,
      ),
      this.progress,
      this.result,
    );
  }

  show() {}

  #guess() {
    const name = this.file.files?.[0]?.name ?? "";
    if (name !== "") this.format.value = /\.csv(\.gz)?$/i.test(name) ? "csv" : "github";
  }

  async #run() {
    const file = this.file.files?.[0];
    if (file === undefined) return;
    this.start.disabled = true;
    this.progress.hidden = false;
    this.bar.removeAttribute("value");
    this.text.textContent = "Sending the file…";
    fill(this.result);
    try {
      const report = await this.#send(file);
      if (report === null) throw new Error("The connection was lost before the end. Import the file again: nothing is doubled.");
      this.scope.app.api.seen(report.position);
      fill(this.result, reportBox(report));
    } catch (error) {
      fill(this.result, h("div", { class: "card-box bad" }, ...explained(error)));
    } finally {
      this.progress.hidden = true;
      this.start.disabled = false;
    }
  }

  /**
   * @param {File} file
   * @returns {Promise<Report | null>}
   */
  async #send(file) {
    const query = new URLSearchParams({ format: this.format.value, dry_run: String(this.rehearse.checked) });
    const answer = await this.scope.app.api.stream(`${this.scope.path}/imports?${query}`, {
      method: "POST",
      headers: { accept: "application/x-ndjson", "content-type": "application/octet-stream" },
      body: file,
    });
    /** @type {Report | null} */
    let report = null;
    let rest = "";
    const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (answer.body).pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      rest += value ?? "";
      const lines = rest.split("\n");
      rest = done ? "" : lines.pop() ?? "";
      for (const text of lines.filter((each) => each !== "")) {
        /** @type {Line} */
        const line = JSON.parse(text);
        if (line.progress) this.#tell(line.progress);
        report = line.report ?? report;
      }
      if (done) return report;
    }
  }

  /** @param {Progress} progress */
  #tell(progress) {
    if (progress.fraction === null) this.bar.removeAttribute("value");
    else this.bar.value = progress.fraction;
    const left = progress.time_left_s === null ? "" : ` · ${duration(progress.time_left_s)} left`;
    this.text.textContent = `${progress.read} read, ${progress.created} new · ${Math.round(progress.tasks_per_s)} a second${left}`;
  }
}

/** @param {Report} report */
function reportBox(report) {
  const made = report.dry_run ? "Would be new" : "New";
  return h(
    "div",
    { class: `card-box ${report.complete ? "" : "bad"}` },
    h("h2", null, report.complete ? (report.dry_run ? "The rehearsal is over" : "The import is done") : "The import stopped"),
    report.stopped_by !== null && h("p", null, report.stopped_by),
    h(
      "dl",
      { class: "facts" },
      h("dt", null, "Tasks in the file"), h("dd", null, report.read),
      h("dt", null, made), h("dd", null, report.created),
      h("dt", null, "Already there"), h("dd", null, report.existing),
      h("dt", null, "Passed over"), h("dd", null, report.skipped),
      h("dt", null, "Bad"), h("dd", null, report.bad),
      h("dt", null, "With a text that was cut"), h("dd", null, report.shortened),
      h("dt", null, "Took"), h("dd", null, `${duration(report.elapsed_s)}, ${Math.round(report.tasks_per_s)} tasks a second`),
    ),
    report.unknown_people.length > 0 && h("p", { class: "soft" }, `Assignees who are not here, kept by name: ${report.unknown_people.join(", ")}`),
    report.bad_rows.length > 0 &&
      h("details", { open: true }, h("summary", null, "Bad rows"),
        h("ul", { class: "bad-rows" }, ...report.bad_rows.slice(0, BAD_ROWS_SHOWN).map((row) => h("li", null, h("strong", null, `Line ${row.line}`), row.field === null ? "" : `, ${row.field}`, `: ${row.cause}`)))),
    report.go_on_from_line !== null && !report.complete && h("p", null, `Everything before line ${report.go_on_from_line} was read.`),
  );
}
