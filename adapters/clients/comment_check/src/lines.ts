// A file's lines, which end at LF or CRLF and nowhere else; bytes are read as Latin-1, so that an index is a byte offset.

export function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

export const BOM = "\xef\xbb\xbf";

export class Lines {
  readonly starts: number[];

  constructor(readonly source: string) {
    this.starts = [source.startsWith(BOM) ? BOM.length : 0];
    for (let found = source.indexOf("\n", this.starts[0]); found >= 0; found = source.indexOf("\n", found + 1)) this.starts.push(found + 1);
    if (this.starts.at(-1) === source.length) this.starts.pop();
  }

  get count(): number {
    return this.starts.length;
  }

  start(line: number): number {
    return this.starts[line - 1] ?? this.source.length;
  }

  raw(line: number): string {
    return this.source.slice(this.start(line), this.start(line + 1));
  }

  text(line: number): string {
    return this.raw(line).replace(/\r?\n$/, "");
  }

  ending(line: number): string {
    for (let at = line; at >= 1 && at <= this.count; at--) {
      const raw = this.raw(at);
      if (raw.endsWith("\r\n")) return "\r\n";
      if (raw.endsWith("\n")) return "\n";
    }
    return "\n";
  }

  indentation(line: number): string {
    return /^[ \t]*/.exec(this.text(line))?.[0] ?? "";
  }

  at(offset: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return Math.max(1, low);
  }
}
