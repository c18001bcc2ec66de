// Made by `python -m adapters.clients.types` from the server's own models. Do not edit.

/** The server's copy of the file is at this version. */
export interface Ack {
  file: string;
  version: number;
}

/** Put `text` in the place of `range`. */
export interface Change {
  range: Range;
  text: string;
}

/** A file is shown no more. */
export interface Close {
  file: string;
}

/** A file is shown no more. */
export interface Closed {
  file: string;
}

/** End the session. */
export interface End {
}

/** The session has ended; the socket is closed after this. */
export interface Ended {
  reason: "host_away" | "host_ended" | "host_not_member" | "no_viewers" | "owner_ended";
}

/** A file was opened or is sent anew: it has this version once its `parts` have come, each a `live.text`. */
export interface File {
  file: string;
  version: number;
  language: string;
  sha256: string;
  parts: number;
}

/** Where the host is. */
export interface Focus {
  file: string | null;
  selections: Range[];
  visible: Range | null;
}

/** The socket lives; a viewer is missing nothing up to `seq`. */
export interface Heartbeat {
}

/** A file as the server has it. */
export interface HeldFile {
  file: string;
  version: number;
  sha256: string;
}

/** The first message of a host: a token with the scope `live` (or a ticket), and the session that it started. `ignore` are the ignore files of the host's folder; what they exclude is refused. */
export interface Host {
  session_id: string;
  token?: string | null;
  ticket?: string | null;
  ignore?: IgnoreFile[];
}

/** Whether the host is there; the session ends when an absent one has not resumed at `resumes_until`. */
export interface HostStatus {
  status: "away" | "here";
  resumes_until: string | null;
}

/** The host is attached. `files` is what the server still has: others must be opened again, then `live.ready`. A file at another version or digest than the host's is opened again too. `valid_until` is when the socket is closed unless the token is renewed. */
export interface Hosting {
  session_id: string;
  epoch: number;
  files: HeldFile[];
  viewers: Viewer[];
  valid_until: string | null;
  heartbeat_s: number;
}

/** The lines of an ignore file, and the folder that it lies in (empty for the uppermost). */
export interface IgnoreFile {
  folder?: string;
  patterns: string[];
}

/** The viewer goes and will not resume. */
export interface Leave {
}

/** The whole text of a file: it was opened, or the server asked for a snapshot. Answered by `live.ack`. */
export interface Open {
  file: string;
  version: number;
  text: string;
  language?: string;
  sha256?: string | null;
}

/** A file went from `base_version` to `version` by these changes, one after the other. Each range is in the text that the changes before it have left. `sha256_after` is of the whole text; send it now and then. Answered by `live.ack`, or by `live.send_snapshot` where it does not fit. */
export interface Patch {
  file: string;
  base_version: number;
  version: number;
  changes: Change[];
  sha256_after?: string | null;
}

/** A file went from `base_version` to `version` by these changes, as in `live.change`. A viewer whose version is not `base_version`, or whose text has not `sha256_after` then, sends `live.resync`. */
export interface Patched {
  file: string;
  base_version: number;
  version: number;
  changes: Change[];
  sha256_after: string | null;
}

/** Ask for a `live.pong`. */
export interface Ping {
  nonce?: string | null;
}

/** The answer to a ping, with its nonce. */
export interface Pong {
  nonce: string | null;
}

/** A place in a text, as in LSP: `character` counts UTF-16 code units. */
export interface Position {
  line: number;
  character: number;
}

/** From a position up to another, which is not part of it. */
export interface Range {
  start: Position;
  end: Position;
}

/** Every file that the host has open was sent: viewers are shown what there is. */
export interface Ready {
}

/** A message of the host was not carried out; `rule` names the rule that a file's name fell under. */
export interface Refused {
  about: string;
  code: "file.digest" | "file.ignored" | "file.name" | "file.not_allowed" | "file.not_open" | "file.secret" | "file.taken" | "file.too_large" | "file.too_many";
  message: string;
  file: string | null;
  rule: string | null;
}

/** A file has another name; refused as opening it under that name would be. */
export interface Rename {
  file: string;
  to: string;
}

/** A file has another name. */
export interface Renamed {
  file: string;
  to: string;
}

/** Show a renewed token of the same account, or a one-time ticket, before `valid_until`. */
export interface Renew {
  token?: string | null;
  ticket?: string | null;
}

/** The token was renewed. */
export interface Renewed {
  valid_until: string | null;
}

/** What the viewer has is not what it should be (a digest or a version differs): send a snapshot. */
export interface Resync {
}

/** A patch did not fit and changed nothing: send the file whole with `live.open`. What comes before is passed by. */
export interface SendSnapshot {
  file: string;
  reason: "digest" | "not_open" | "range" | "too_large" | "version";
  message: string;
}

/** Where the host is: the active file (none: no file of the session), the selections, and the visible lines. */
export interface Show {
  file?: string | null;
  selections?: Range[];
  visible?: Range | null;
}

/** Forget every file: all of them follow, up to `live.snapshot_end`. */
export interface Snapshot {
  epoch: number;
  files: number;
  reason: "asked" | "host_resumed" | "joined" | "lagged";
}

/** Everything that the session shows at `seq` has been sent. */
export interface SnapshotEnd {
}

/** A part of a file's text, from zero on. */
export interface Text {
  file: string;
  part: number;
  text: string;
}

/** The first message of a viewer: what joining gave, with a token of the account where it was an account that joined. `epoch` and `seq` are the last that it had, to be sent what it missed; without them it gets a snapshot. */
export interface View {
  viewer_token: string;
  token?: string | null;
  ticket?: string | null;
  epoch?: number | null;
  seq?: number | null;
}

/** Somebody who watches. `name` is the account's, or what a guest called themselves; who is `away` may resume. */
export interface Viewer {
  viewer_id: string;
  account_id: string | null;
  name: string;
  status: "away" | "left" | "removed" | "watching";
  joined_at: string;
}

/** Somebody joined, came back, went away, left or was removed. */
export interface ViewerNews {
  viewer: Viewer;
}

/** The viewer is attached. `resumed`: what it missed follows; otherwise a snapshot. */
export interface Viewing {
  session_id: string;
  viewer_id: string;
  host_id: string;
  host_name: string;
  title: string;
  resumed: boolean;
  valid_until: string | null;
  heartbeat_s: number;
}

export interface FromHost {
  "live.host": Host;
  "live.open": Open;
  "live.change": Patch;
  "live.close": Close;
  "live.rename": Rename;
  "live.show": Show;
  "live.ready": Ready;
  "live.end": End;
  "live.renew": Renew;
  "live.ping": Ping;
}

export interface FromViewer {
  "live.view": View;
  "live.resync": Resync;
  "live.leave": Leave;
  "live.renew": Renew;
  "live.ping": Ping;
}

export interface ToHost {
  "live.hosting": Hosting;
  "live.ack": Ack;
  "live.send_snapshot": SendSnapshot;
  "live.refused": Refused;
  "live.viewer": ViewerNews;
  "live.renewed": Renewed;
  "live.pong": Pong;
  "live.heartbeat": Heartbeat;
  "live.ended": Ended;
}

export interface ToViewer {
  "live.viewing": Viewing;
  "live.snapshot": Snapshot;
  "live.file": File;
  "live.text": Text;
  "live.snapshot_end": SnapshotEnd;
  "live.patch": Patched;
  "live.closed": Closed;
  "live.renamed": Renamed;
  "live.focus": Focus;
  "live.host_status": HostStatus;
  "live.renewed": Renewed;
  "live.pong": Pong;
  "live.heartbeat": Heartbeat;
  "live.ended": Ended;
}

/** A message to a viewer: it has been sent everything of the session up to `seq`. */
export type LiveMessage = { [Name in keyof ToViewer]: {
  event_type: Name;
  payload: ToViewer[Name];
  seq: number;
} }[keyof ToViewer];
