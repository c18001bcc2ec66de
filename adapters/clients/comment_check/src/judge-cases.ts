// Judges a corpus of cases (JSON Lines on standard input) and prints one line of JSON for each: what this client says of it.
import { createInterface } from "node:readline";
import { check } from "./check.js";
import { FileRefused } from "./model.js";

interface Case {
  id: string;
  language: string;
  source?: string;
  source_b64?: string;
  comment: unknown;
}

for await (const line of createInterface({ input: process.stdin })) {
  const given = JSON.parse(line) as Case;
  const bytes = given.source_b64 === undefined ? new TextEncoder().encode(given.source) : new Uint8Array(Buffer.from(given.source_b64, "base64"));
  let told: object;
  try {
    const report = await check(bytes, given.language, [given.comment]);
    told = { verdict: report.accepted.length ? "accept" : "reject", code: report.refused[0]?.code ?? "", relies: report.reliesOnServer, tokens: report.proof?.tokensSha256 ?? null, after: Buffer.from(report.after).toString("base64") };
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error;
    told = { verdict: "reject", code: error.cause, relies: false, tokens: null, after: null };
  }
  console.log(JSON.stringify({ id: given.id, ...told }));
}
