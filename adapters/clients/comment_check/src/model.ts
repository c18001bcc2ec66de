// What goes into the check and what comes out of it, and the two ways to say no.

export interface Comment {
  type: "inline" | "header";
  line: number;
  content: string;
}

export interface Refused {
  index: number;
  code: string;
}

export interface Insertion {
  index: number;
  /** Byte offset in the original. */
  offset: number;
  text: Uint8Array;
  line: number;
}

export interface Proof {
  fileSha256Before: string;
  fileSha256After: string;
  tokensSha256: string;
  tokens: number;
  grammar: string;
}

export interface Report {
  accepted: Insertion[];
  refused: Refused[];
  /** Null where nothing was inserted, or where this client has no grammar. */
  proof: Proof | null;
  after: Uint8Array;
  /** Whether only bytes, text and lines were looked at, or a second proof is the server's alone. */
  reliesOnServer: boolean;
}

/** One comment is refused. */
export class CommentRefused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** The whole file is not handled. */
export class FileRefused extends Error {
  constructor(override readonly cause: string) {
    super(cause);
  }
}
