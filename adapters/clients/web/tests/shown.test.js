// What a viewer shows after any messages is what the host has, or it asks for everything anew.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { Shown } from "../app/live/shown.js";

const digest = (text) => createHash("sha256").update(text, "utf8").digest("hex");
const turn = () => new Promise((resolve) => setTimeout(resolve, 20));

class Host {
  constructor() {
    this.shown = new Shown();
    this.doubts = 0;
    this.told = [];
    this.seq = 0;
    this.shown.addEventListener("doubt", () => { this.doubts += 1; });
    for (const type of ["files", "text", "edits", "focus", "host"]) {
      this.shown.addEventListener(type, (event) => this.told.push([type, event.detail?.name]));
    }
  }

  says(event_type, payload = {}) {
    this.seq += 1;
    this.shown.hear({ event_type, payload, seq: this.seq });
  }

  opens(file, text, version = 1, sha256 = digest(text)) {
    const parts = text.match(/[^]{1,3}/g) ?? [];
    this.says("live.file", { file, version, language: "", sha256, parts: parts.length });
    parts.forEach((part, index) => this.says("live.text", { file, part: index, text: part }));
  }

  snapshot(files, epoch = 1) {
    this.says("live.snapshot", { epoch, files: Object.keys(files).length, reason: "joined" });
    for (const [name, text] of Object.entries(files)) this.opens(name, text);
    this.says("live.snapshot_end");
  }

  types(file, base, character, text, more = {}) {
    const place = { line: 0, character };
    this.says("live.patch", { file, base_version: base, version: base + 1, changes: [{ range: { start: place, end: place }, text }], ...more });
  }

  get files() {
    return Object.fromEntries([...this.shown.files].map(([name, { text }]) => [name, text.toString()]));
  }
}

test("a snapshot and the changes after it", async () => {
  const host = new Host();
  host.snapshot({ "a.py": "import os", "empty.py": "" });
  host.types("a.py", 1, 9, " # 🐝");
  host.types("a.py", 2, 0, "x", { sha256_after: digest("ximport os # 🐝") });
  await turn();
  assert.deepEqual(host.files, { "a.py": "ximport os # 🐝", "empty.py": "" });
  assert.equal(host.doubts, 0);
  assert.deepEqual(host.shown.place, { epoch: 1, seq: host.seq });
});

test("until a snapshot has come whole, what was there is shown and is what is resumed from", () => {
  const host = new Host();
  host.snapshot({ "a.py": "one" });
  const { place } = host.shown;
  host.says("live.snapshot", { epoch: 2, files: 1, reason: "lagged" });
  host.opens("b.py", "two");
  assert.deepEqual(host.files, { "a.py": "one" });
  assert.deepEqual(host.shown.place, place);
  host.shown.interrupted();
  assert.equal(host.shown.place, null, "half a snapshot is none");
  host.snapshot({ "b.py": "two" }, 2);
  assert.deepEqual(host.files, { "b.py": "two" });
  assert.equal(host.shown.place.epoch, 2);
});

test("a connection that is lost within a file goes on within it", async () => {
  const host = new Host();
  host.snapshot({});
  host.says("live.file", { file: "a.py", version: 4, language: "", sha256: digest("abcdef"), parts: 2 });
  host.says("live.text", { file: "a.py", part: 0, text: "abc" });
  host.shown.interrupted();
  assert.deepEqual(host.shown.place, { epoch: 1, seq: host.seq });
  host.says("live.text", { file: "a.py", part: 1, text: "def" });
  host.types("a.py", 4, 6, "!");
  await turn();
  assert.deepEqual([host.files, host.doubts], [{ "a.py": "abcdef!" }, 0]);
});

test("files are closed, renamed and sent anew", () => {
  const host = new Host();
  host.snapshot({ "a.py": "a", "b.py": "b" });
  host.says("live.focus", { file: "a.py", selections: [], visible: null });
  host.says("live.renamed", { file: "a.py", to: "c.py" });
  assert.equal(host.shown.focus.file, "c.py");
  host.types("c.py", 1, 1, "!");
  host.says("live.closed", { file: "b.py" });
  host.opens("c.py", "anew", 9);
  host.types("c.py", 9, 4, ".");
  assert.deepEqual(host.files, { "c.py": "anew." });
});

for (const [what, spoil] of [
  ["of another version", (host) => host.types("a.py", 7, 0, "x")],
  ["of a file that is not there", (host) => host.types("b.py", 1, 0, "x")],
  ["beyond the end of its line", (host) => host.types("a.py", 1, 9, "x")],
  ["after which the text has another digest", (host) => host.types("a.py", 1, 0, "x", { sha256_after: digest("y") })],
  ["that opens a file with another digest", (host) => host.opens("c.py", "text", 1, digest("other"))],
]) {
  test(`a message ${what} leads to a snapshot, once, and nothing is changed until it comes`, async () => {
    const host = new Host();
    host.snapshot({ "a.py": "one" });
    spoil(host);
    await turn();
    assert.equal(host.doubts, 1);
    const { files } = host;
    host.types("a.py", 1, 0, "x");
    host.types("a.py", 2, 0, "x");
    assert.deepEqual([host.files, host.doubts], [files, 1]);
    host.snapshot({ "a.py": "two" });
    host.types("a.py", 1, 3, "!");
    await turn();
    assert.deepEqual([host.files, host.doubts], [{ "a.py": "two!" }, 1]);
  });
}

test("a pong that overtakes what it counts does not make a viewer pass by that", () => {
  const host = new Host();
  host.snapshot({ "a.py": "one" });
  const { seq } = host.shown.place;
  host.shown.hear({ event_type: "live.pong", payload: { nonce: null }, seq: seq + 5 });
  assert.equal(host.shown.place.seq, seq);
});

test("who was lost in doubt begins anew", () => {
  const host = new Host();
  host.snapshot({ "a.py": "one" });
  host.types("a.py", 7, 0, "x");
  host.shown.interrupted();
  assert.equal(host.shown.place, null);
});

test("a change that fits in part is shown as the snapshot after it has it", () => {
  const host = new Host();
  host.snapshot({ "a.py": "one" });
  const [good, bad] = [{ line: 0, character: 0 }, { line: 9, character: 0 }];
  const changes = [{ range: { start: good, end: good }, text: "x" }, { range: { start: bad, end: bad }, text: "y" }];
  host.told.length = 0;
  host.says("live.patch", { file: "a.py", base_version: 1, version: 2, changes });
  assert.deepEqual([host.told, host.doubts], [[], 1]);
  host.snapshot({ "a.py": "xone" });
  assert.ok(host.told.some(([type, name]) => type === "text" && name === "a.py"));
});
