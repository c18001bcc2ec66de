// Made by `python -m adapters.clients.types` from the server's own models. Do not edit.

/** An account as admins see it. */
export interface AccountAnswer {
  account_id: string;
  email: string;
  name: string;
  is_admin: boolean;
  disabled: boolean;
  created_at: string;
}

/** What an admin changes of an account; what is left out stays. */
export interface AccountChange {
  name?: string;
  /** An address such as `ada@example.org`. */
  email?: string;
  is_admin?: boolean;
}

/** An account made by an admin. */
export interface AccountCreation {
  /** An address such as `ada@example.org`. */
  email: string;
  name: string;
  /** 15 to 128 characters of any kind. Refused where it is among the common ones, with the reason. */
  password: string;
  is_admin?: boolean;
}

/** A page of accounts; ask again with `next_cursor` until it is null. */
export interface AccountsAnswer {
  accounts: AccountAnswer[];
  next_cursor: string | null;
}

/** How the model is asked; what is left out stays. Prices are millionths of a US dollar for a million tokens. */
export interface AiSettingsPatch {
  base_url?: string | null;
  model?: string;
  timeout_s?: number;
  tries_max?: number;
  answer_tokens_max?: number;
  source_bytes_max?: number;
  input_price_micros?: number | null;
  output_price_micros?: number | null;
}

/** What the server says; fields may be added to it. */
export interface Answer {
}

/** The file with the approved comments. */
export interface AppliedFile {
  source: string;
  /** SHA-256 in hex. */
  base_sha256: string;
  /** SHA-256 in hex. */
  after_sha256: string;
  applied: number[];
  /** Approved comments that have no certain place in this file. */
  drifted: number[];
  version: number;
  position: number;
}

/** The file as it is now; left out, it is as it was submitted. */
export interface ApplyRequest {
  source?: string | null;
}

/** A piece of the file that was not imported. */
export interface BadRow {
  /** Where it begins in the file, counted from 1. */
  line: number;
  /** The column, or the path in the JSON object. */
  field: string | null;
  cause: string;
}

/** The proof that comments were inserted and nothing else: the hashes of the code's tokens are equal. */
export interface Certificate {
  review_id: string;
  project_id: string;
  path: string;
  language: string;
  grammar: string;
  /** SHA-256 of the file before. */
  base_sha256: string;
  /** SHA-256 of the file after. */
  after_sha256: string;
  /** SHA-256 in hex. */
  tokens_sha256_before: string;
  /** SHA-256 in hex. */
  tokens_sha256_after: string;
  comments: CertifiedComment[];
  prompt_version: number;
  /** SHA-256 in hex. */
  prompt_sha256: string;
  model: string;
  requested_by: string;
  /** None where it was not applied yet. */
  applied_by: string | null;
  applied_at: string | null;
}

/** An inserted comment: who approved it, what its words hash to, where it stands in the file after. */
export interface CertifiedComment {
  index: number;
  type: "header" | "inline";
  /** SHA-256 in hex. */
  content_sha256: string;
  decision: "approved" | "discarded" | "edited" | "retracted" | "suggested";
  approved_by: string | null;
  approved_at: string | null;
  /** Where it goes into the file before, in bytes. */
  offset: number;
  size_bytes: number;
  /** The line of the file before that it stands above. */
  line: number;
}

/** A command was carried out, or there was nothing to do. */
export interface Changed {
  /** The project or task. */
  id: string;
  /** Its version now; also the `ETag`. */
  version: number;
  /** Read with `HiveSync-Min-Position` of this to see your own change. */
  position: number;
}

/** A task that differs between two moments; null where it did not exist. */
export interface ChangedTask {
  task_id: string;
  before: TaskCard | null;
  after: TaskCard | null;
}

/** The tasks that differ between two positions. */
export interface ChangesPage {
  from_position: number;
  to_position: number;
  items: ChangedTask[];
  next_cursor: string | null;
}

/** A program that may ask for tokens. */
export interface ClientAnswer {
  client_id: string;
  name: string;
  redirect_uris: string[];
  scopes: ("admin" | "live" | "read" | "write")[];
  built_in: boolean;
}

/** A program that may ask for tokens; it has no secret. */
export interface ClientCreation {
  client_id: string;
  name: string;
  redirect_uris: string[];
  scopes: ("admin" | "live" | "read" | "write")[];
}

/** Every program that may ask for tokens. */
export interface ClientsAnswer {
  clients: ClientAnswer[];
}

/** Comments on a task, the oldest first. */
export interface CommentPage {
  items: ShownComment[];
  next_cursor: string | null;
  position: number;
}

/** What is said about the task. */
export interface CommentRequest {
  text: string;
}

/** The backend's addresses, now and after a migration (MIG-2). */
export interface ConnectionRegistry {
  /** An address such as `https://hivemind.hivesync.net`. */
  current_backend_url: string;
  planned_backend_url?: string | null;
  fallback_backend_url?: string | null;
  grace_period?: string | null;
  "migration.pending"?: boolean;
}

/** That a tree begins with an older one (RFC 9162, section 2.1.4). */
export interface ConsistencyProof {
  /** Events in the tree. */
  old_size: number;
  /** Events in the tree. */
  size: number;
  /** A SHA-256 hash in base64 (32 bytes). */
  old_root: string;
  /** A SHA-256 hash in base64 (32 bytes). */
  root: string;
  path: string[];
}

/** A new project; its creator becomes its owner. */
export interface CreateProjectRequest {
  name: string;
  description?: string;
  policy?: Policy;
}

/** A new task. */
export interface CreateTaskRequest {
  title: string;
  description?: string;
  labels?: string[];
  priority?: "high" | "low" | "medium" | "none" | "urgent";
  due?: string | null;
  assignee_id?: string | null;
}

/** What a device shows its person (RFC 8628, section 3.2). */
export interface DeviceAuthorizationAnswer {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  expires_in: number;
  interval: number;
}

/** A row that is not the same in the live and in the rebuilt read model; none where it is missing. */
export interface Difference {
  table: string;
  key: string;
  live: Record<string, unknown> | null;
  rebuilt: Record<string, unknown> | null;
}

/** A version asked anew about files whose comments people have decided on. A comment meets one of the same kind near its line. `kept` are approved comments that the version suggests too, `missed` those that it does not; `avoided` are discarded ones that it does not suggest any more, `repeated` those that it does; `new` meets nothing. */
export interface DraftScore {
  version: number;
  reviews: number;
  unanswered: number;
  approved: number;
  kept: number;
  missed: number;
  discarded: number;
  avoided: number;
  repeated: number;
  new: number;
  refused: number;
  input_tokens: number;
  output_tokens: number;
  cost_micros: number | null;
}

/** What is left out stays as it is. */
export interface EditProjectRequest {
  name?: string;
  description?: string;
}

/** Other words for a comment. */
export interface EditRequest {
  content: string;
}

/** What is left out stays as it is; a `due` of null takes the date away. */
export interface EditTaskRequest {
  title?: string;
  description?: string;
  labels?: string[];
  priority?: "high" | "low" | "medium" | "none" | "urgent";
  due?: string | null;
}

/** A page of exports, the newest first. */
export interface ExportPage {
  items: ShownExport[];
  next_cursor: string | null;
  position: number;
}

/** Which part of the history: what meets every condition that is given, and all of it where none is. */
export interface ExportRequest {
  format: "csv" | "jsonl" | "jsonocel" | "txt";
  /** Left out: every project, for admins only. */
  project_id?: string | null;
  actor?: string | null;
  types?: string[];
  /** One task, project or account. */
  stream_id?: string | null;
  /** Recorded at this time or later. */
  since?: string | null;
  /** Recorded before this time. */
  until?: string | null;
  /** Positions after this one. */
  after?: number;
  /** Positions up to this one; else up to the request itself. */
  through?: number | null;
}

/** Lines of a file that a viewer was sent; lines count from one, in the text as it was then. */
export interface ExposureLine {
  viewer_id: string;
  account_id: string | null;
  guest_name: string | null;
  file: string;
  first_line: number;
  last_line: number;
  shown_from: string;
  shown_to: string;
  by: "edits" | "snapshot";
  certain_until: string | null;
}

/** What is wrong with one part of a request. */
export interface FieldProblem {
  /** Where the part is: body, query, path, header or cookie. */
  source: string;
  /** The part's name; in a body the path to it, such as `labels[2]`. */
  field: string;
  message: string;
}

/** An event that a read model was not given, or was given twice, between two positions. The position is none where there are too many to tell. */
export interface Flaw {
  kind: "doubled" | "skipped" | "unclear";
  position: number | null;
  after: number;
  up_to: number;
}

/** The process is alive. */
export interface Health {
  status?: "ok";
}

/** The calls for help of a project, the longest waiting first; claimed ones come last. */
export interface HelpQueueAnswer {
  items: QueueEntry[];
  position: number;
}

/** One event: what happened, by whose command, when, and because of what. */
export interface HistoryEntry {
  position: number;
  version: number;
  event_id: string;
  type: string;
  data: Record<string, unknown>;
  recorded_at: string;
  /** An account id, or `system`. */
  actor: string;
  command_id: string;
  correlation_id: string;
  causation_id: string | null;
}

/** One event of any stream. */
export interface HistoryItem {
  position: number;
  version: number;
  event_id: string;
  type: string;
  data: Record<string, unknown>;
  recorded_at: string;
  /** An account id, or `system`. */
  actor: string;
  command_id: string;
  correlation_id: string;
  causation_id: string | null;
  stream_id: string;
  /** The project that the stream belongs to. */
  project_id: string | null;
}

/** Why a task is as it is: its events, in order. */
export interface HistoryPage {
  items: HistoryEntry[];
  next_cursor: string | null;
}

/** A line of the answer as `application/x-ndjson`: progress again and again, and the report as the last line. */
export interface ImportLine {
  progress: ImportProgress | null;
  report: ImportReport | null;
}

/** How far an import is. */
export interface ImportProgress {
  /** Tasks found in the file so far. */
  read: number;
  created: number;
  /** Were imported before and stay as they are. */
  existing: number;
  /** Pull requests that were not asked for. */
  skipped: number;
  /** Pieces that were not imported. */
  bad: number;
  /** Of the file; null where its size is not known. */
  fraction: number | null;
  elapsed_s: number;
  tasks_per_s: number;
  time_left_s: number | null;
}

/** What came of an import. Importing the same file again adds what is missing and doubles nothing. */
export interface ImportReport {
  read: number;
  /** In a dry run: would be created. */
  created: number;
  existing: number;
  skipped: number;
  bad: number;
  /** The first 1000 of them. */
  bad_rows: BadRow[];
  /** Tasks with a text that did not fit and was cut. */
  shortened: number;
  /** Assignees that are no members here, 200 at most; kept by name. */
  unknown_people: string[];
  dry_run: boolean;
  /** Whether the file was read to its end. */
  complete: boolean;
  /** Why not. */
  stopped_by: string | null;
  /** Everything before this line was read; send the file again from there, or whole. */
  go_on_from_line: number | null;
  /** Read with `HiveSync-Min-Position` of this to see the tasks. */
  position: number;
  elapsed_s: number;
  tasks_per_s: number;
}

/** That the event at a position is in the tree of a size (RFC 9162, section 2.1.3). */
export interface InclusionProof {
  /** The event's position in the log; its leaf index is one less. */
  position: number;
  /** Events in the tree. */
  size: number;
  /** A SHA-256 hash in base64 (32 bytes). */
  leaf_hash: string;
  /** A SHA-256 hash in base64 (32 bytes). */
  root: string;
  /** From the leaf's sibling up. */
  path: string[];
}

/** Which comments; all of them where none are named. */
export interface IndexesRequest {
  indexes?: number[] | null;
}

/** The account that an invited person makes; `email` may be left out where the invitation names it. */
export interface InvitationAcceptance {
  token: string;
  name: string;
  /** 15 to 128 characters of any kind. Refused where it is among the common ones, with the reason. */
  password: string;
  /** An address such as `ada@example.org`. */
  email?: string;
}

/** An open invitation. */
export interface InvitationAnswer {
  invitation_id: string;
  email: string | null;
  invited_by: string;
  project_id: string | null;
  role: "auditor" | "member" | "owner" | null;
  created_at: string;
  expires_at: string;
}

/** A new invitation with its secret, which is shown here and never again. */
export interface InvitationCreated {
  invitation_id: string;
  email: string | null;
  invited_by: string;
  project_id: string | null;
  role: "auditor" | "member" | "owner" | null;
  created_at: string;
  expires_at: string;
  token: string;
  /** The page where the invited person makes the account. */
  link: string;
}

/** An invitation, into a project where one is named. */
export interface InvitationCreation {
  /** An address such as `ada@example.org`. */
  email?: string;
  project_id?: string;
  role?: "auditor" | "member" | "owner";
  /** Seconds; a week by default. */
  expires_in?: number;
}

/** A page of open invitations; ask again with `next_cursor` until it is null. */
export interface InvitationsAnswer {
  invitations: InvitationAnswer[];
  next_cursor: string | null;
}

/** The version that a label is to point at. */
export interface LabelRequest {
  version: number;
}

/** For how long, in seconds; four hours where nothing is said. */
export interface LeaseRequest {
  lease_s?: number;
}

/** Join by an invite without an account, under a name that the host is shown. */
export interface LiveGuest {
  /** What stands after `hivesync://live/`. */
  invite: string;
  name: string;
}

/** An invite that lets people in until it expires. */
export interface LiveInvite {
  invite_id: string;
  expires_at: string;
}

/** A new invite with its secret, which is shown here and never again. */
export interface LiveInviteMade {
  invite_id: string;
  expires_at: string;
  token: string;
  /** Opens the desktop client. */
  link: string;
  /** Opens in a browser; the secret is behind `#` and reaches no server. */
  web_link: string;
}

/** The invites of a session that still let people in. */
export interface LiveInvites {
  items: LiveInvite[];
}

/** Join by an invite, with one's account. */
export interface LiveJoin {
  /** What stands after `hivesync://live/`. */
  invite: string;
}

/** A viewer's place: open `/ws/live` and send `live.view` with `viewer_token`, which is shown here and never again. */
export interface LiveJoined {
  session_id: string;
  viewer_id: string;
  project_id: string;
  viewer_token: string;
  title: string;
  host_name: string;
}

/** A page of live sessions, the newest first. */
export interface LivePage {
  items: LiveSummary[];
  next_cursor: string | null;
  position: number;
}

/** Send a viewer away. */
export interface LiveRemoval {
  /** Let nobody else in by the invite that they came by; a guest could come back by it. */
  revoke_invite?: boolean;
}

/** A session to start. With `allow` only files that one of these patterns names are shown, whoever opens them. */
export interface LiveStart {
  title?: string;
  /** Patterns as in a .gitignore file. */
  allow?: string[];
}

/** A live session. */
export interface LiveSummary {
  session_id: string;
  project_id: string;
  host_id: string;
  title: string;
  allow: string[];
  status: "ended" | "running";
  started_at: string;
  started_at_position: number;
  /** How many have joined so far, whoever left again. */
  joined: number;
  /** Why it ended. */
  reason: "host_away" | "host_ended" | "host_not_member" | "no_viewers" | "owner_ended" | null;
  ended_at: string | null;
}

/** Who the token belongs to, and how far it reaches. */
export interface MeAnswer {
  account_id: string;
  email: string;
  name: string;
  is_admin: boolean;
  created_at: string;
  scopes: ("admin" | "live" | "read" | "write")[];
}

/** What a person may change of their own account; what is left out stays. */
export interface MeChange {
  name?: string;
  /** An address such as `ada@example.org`. */
  email?: string;
}

/** The role that an account is to have. */
export interface MemberRequest {
  role: "auditor" | "member" | "owner";
}

/** A command that needs no more than its address: an empty body or an empty object. */
export interface Nothing {
}

/** An error of the token endpoint (RFC 6749, section 5.2; RFC 8628, section 3.5). */
export interface OAuthErrorAnswer {
  error: string;
  error_description: string;
}

/** A successful answer of the token endpoint (RFC 6749, section 5.1). */
export interface OAuthTokenAnswer {
  access_token: string;
  token_type: "Bearer";
  expires_in: number;
  refresh_token: string;
  scope: string;
}

/** The parked streams, at most a thousand. */
export interface ParkedList {
  items: ParkedStream[];
}

/** A stream that a read model waits with, the event in its way, and why. */
export interface ParkedStream {
  projection: string;
  stream_id: string;
  position: number;
  topic: string;
  cause: string;
  parked_at: string;
}

/** Another password. Every other session ends. */
export interface PasswordChangeRequest {
  /** As it is typed; white space is part of it. */
  present_password: string;
  /** 15 to 128 characters of any kind. Refused where it is among the common ones, with the reason. */
  new_password: string;
}

/** A password that an admin sets for somebody; all their sessions end. */
export interface PasswordReset {
  /** 15 to 128 characters of any kind. Refused where it is among the common ones, with the reason. */
  new_password: string;
}

/** The people whom the caller may know, among those asked for. */
export interface PeopleAnswer {
  people: PersonAnswer[];
}

/** The name behind an account id. */
export interface PersonAnswer {
  account_id: string;
  /** `erased-<id>` where the person was erased. */
  name: string;
}

/** The trials, in the order that was asked for. Nothing of them is stored but counts. */
export interface PlaygroundAnswer {
  trials: Trial[];
}

/** Templates to be tried on a file, side by side: versions by number, and one that is not kept. */
export interface PlaygroundRequest {
  path: string;
  /** The file's text; its UTF-8 is the file, byte for byte. */
  source: string;
  language?: string | null;
  style?: ReviewStyle;
  versions?: number[];
  template?: string | null;
}

/** Who may approve completed tasks beside the owners, and whether one may approve one's own work. */
export interface Policy {
  approvers: "members" | "owners";
  may_approve_own_work: boolean;
}

/** A request that was not carried out, and why. More members may stand beside these, by type. */
export interface Problem {
  /** A stable reference: compare it, or open it for an explanation. */
  type: string;
  /** The same for every problem of this type. */
  title: string;
  status: number;
  /** What is wrong in this case. */
  detail: string;
  /** The path that was asked. */
  instance: string;
  /** Leads to this request in the server's log. */
  correlation_id: string;
  errors?: FieldProblem[];
  /** The transitions that are allowed now. */
  allowed?: string[];
}

/** Projects by name. */
export interface ProjectPage {
  items: ShownProject[];
  next_cursor: string | null;
  position: number;
}

/** Every read model. */
export interface ProjectionList {
  items: ShownProjection[];
  head: number;
}

/** Every version, the newest first, and what each label points at. */
export interface PromptList {
  versions: ShownPromptVersion[];
  labels: Record<string, number>;
}

/** A template to be kept as the next version; it never changes after. */
export interface PromptRequest {
  template: string;
  note?: string;
}

/** A call, its place among those that nobody has claimed (from 1), and how long it has waited. */
export interface QueueEntry {
  place: number | null;
  waiting_s: number;
  call: ShownCall;
}

/** Why. */
export interface ReasonRequest {
  reason: string;
}

/** Whose task it is to be; null for nobody's. */
export interface ReassignRequest {
  assignee_id: string | null;
}

/** Comments of one version, those of a review together, of the newest reviews first. */
export interface RecallPage {
  items: RecalledComment[];
  next_cursor: string | null;
}

/** Why every comment of the version is called back. */
export interface RecallRequest {
  reason: string;
}

/** What was called back. `remaining` says that there is more: ask again. */
export interface Recalled {
  reviews: number;
  comments: number;
  remaining: boolean;
}

/** A comment that came from the version: where it is and what was decided. */
export interface RecalledComment {
  review_id: string;
  project_id: string;
  path: string;
  index: number;
  type: string;
  line: number;
  content_sha256: string;
  decision: string;
  applied: boolean;
}

/** A refresh token; it is good once. */
export interface RefreshRequest {
  refresh_token: string;
}

/** The latest replays, the newest first. */
export interface ReplayList {
  items: ShownReplay[];
}

/** How far a replay is: of which read model, at what, and with what rate. */
export interface ReplayProgress {
  projection: string;
  step: "auditing" | "comparing" | "indexing" | "rebuilding" | "swapping";
  position: number;
  target: number;
  events_per_s: number;
  time_left_s: number | null;
}

/** What to do with one read model, or with all of them where none is named. */
export interface ReplayRequest {
  mode?: "audit" | "check" | "dry_run" | "rebuild";
  projection?: string | null;
  /** Rebuild up to this position or time, beside what serves, and leave it there. */
  to?: string | null;
}

/** What a replay of one read model came to. `differing` counts all rows that differ; not all may be told. */
export interface Replayed {
  projection: string;
  mode: "audit" | "check" | "dry_run" | "rebuild";
  position: number;
  events: number;
  resumed_at: number;
  swapped: boolean;
  parked: number;
  differing: number;
  differences: Difference[];
  flaws: Flaw[];
  seconds: number;
}

/** What a client sends; a field that is not known is refused, because it was meant to do something. */
export interface Request {
}

/** How many blobs were dropped. */
export interface RetentionDone {
  source: number;
  words: number;
}

/** What the next turn drops. */
export interface RetentionDue {
  source: ShownExpired;
  words: ShownExpired;
}

/** For how many days sources and the words of comments are kept; what is left out stays. */
export interface RetentionPatch {
  source_days?: number;
  comment_days?: number;
}

/** Which comments are called back, and why. */
export interface RetractRequest {
  reason: string;
  indexes?: number[] | null;
}

/** What became of another try: the events that were processed, and what is in the way now, if anything. */
export interface Retried {
  projection: string;
  stream_id: string;
  processed: number;
  position: number | null;
  cause: string | null;
}

/** A page of reviews, the newest first, without the words of their comments. */
export interface ReviewPage {
  items: ShownReview[];
  next_cursor: string | null;
  position: number;
}

/** How the comments are to be written. */
export interface ReviewStyle {
  detail?: "brief" | "normal" | "thorough";
  /** Whether a header comment may be written. */
  header?: boolean;
  /** The comments' language (BCP 47). */
  tongue?: string;
  comments_max?: number;
  /** Refused where it is true: a docstring is code (`__doc__`), and comments never change code. */
  docstrings?: boolean;
}

/** The scores of every version that something came from. */
export interface ScoreList {
  items: ShownScore[];
}

/** How many reviews that people have decided on a version is to be held against; the newest whose sources are kept. */
export interface ScoreRequest {
  reviews?: number;
}

/** Where the endpoints are and what they can do (RFC 8414). */
export interface ServerMetadata {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  revocation_endpoint: string;
  device_authorization_endpoint: string;
  scopes_supported: string[];
  response_types_supported: string[];
  response_modes_supported: string[];
  grant_types_supported: string[];
  token_endpoint_auth_methods_supported: string[];
  revocation_endpoint_auth_methods_supported: string[];
  code_challenge_methods_supported: string[];
  authorization_response_iss_parameter_supported: boolean;
}

/** What one sign-in began: the tokens of one program on one device. */
export interface SessionAnswer {
  session_id: string;
  client_id: string;
  /** Null: an e-mail address and a password over the API. */
  client_name: string | null;
  scopes: ("admin" | "live" | "read" | "write")[];
  created_at: string;
  /** When its tokens were last renewed. */
  last_used_at: string;
  expires_at: string;
  /** Whether it is the one that asks. */
  is_current: boolean;
}

/** The caller's sign-ins, the one used last first. */
export interface SessionsAnswer {
  sessions: SessionAnswer[];
}

/** How many sign-ins were ended. */
export interface SessionsEnded {
  ended: number;
}

/** What is to be different; what is left out stays. */
export interface SettingsPatch {
  ai?: AiSettingsPatch;
  retention?: RetentionPatch;
}

/** How the model is asked. Whether a key is set is told, the key never. */
export interface ShownAiSettings {
  provider: string;
  base_url: string | null;
  model: string;
  timeout_s: number;
  tries_max: number;
  answer_tokens_max: number;
  source_bytes_max: number;
  input_price_micros: number | null;
  output_price_micros: number | null;
  key_is_set: boolean;
}

/** A call for help that stands. */
export interface ShownCall {
  task_id: string;
  project_id: string;
  title: string;
  requested_by: string;
  reason: string;
  requested_at: string;
  waiting_since: string;
  helper_id: string | null;
  lease_expires_at: string | null;
}

/** One comment on a task. */
export interface ShownComment {
  comment_id: string;
  task_id: string;
  author_id: string;
  text: string;
  created_at: string;
  position: number;
}

/** How much of a kind is older than it is kept. */
export interface ShownExpired {
  blobs: number;
  size_bytes: number;
}

/** An export. Its file, its manifest and its proof are below its own address, as `file`, `manifest` and `proof`. */
export interface ShownExport {
  export_id: string;
  project_id: string | null;
  format: "csv" | "jsonl" | "jsonocel" | "txt";
  selection: ShownSelection;
  status: "cancelled" | "completed" | "failed" | "removed" | "requested";
  requested_by: string;
  requested_at: string;
  /** The last position that it looks at. */
  through: number;
  ended_at: string | null;
  /** Why it failed, or was removed. */
  cause: string | null;
  rows: number | null;
  size_bytes: number | null;
  /** Of the file's bytes, in hex; also its `ETag`. */
  sha256: string | null;
  first_position: number | null;
  last_position: number | null;
  progress: ShownProgress | null;
}

/** A call for help; a helper and an expiry where somebody has claimed it. */
export interface ShownHelp {
  requested_by: string;
  reason: string;
  requested_at: string;
  helper_id: string | null;
  lease_expires_at: string | null;
}

/** A live session and who watches it now. */
export interface ShownLive {
  session_id: string;
  project_id: string;
  host_id: string;
  title: string;
  allow: string[];
  status: "ended" | "running";
  started_at: string;
  started_at_position: number;
  /** How many have joined so far, whoever left again. */
  joined: number;
  /** Why it ended. */
  reason: "host_away" | "host_ended" | "host_not_member" | "no_viewers" | "owner_ended" | null;
  ended_at: string | null;
  viewers: Viewer[];
}

/** An account in a project. */
export interface ShownMember {
  account_id: string;
  role: "auditor" | "member" | "owner";
  since: string;
}

/** How far an export is that is being written. */
export interface ShownProgress {
  rows: number;
  size_bytes: number;
  fraction: number;
  rows_per_s: number;
  elapsed_s: number;
  time_left_s: number | null;
}

/** A project; `version` and `position` are those of its last event. */
export interface ShownProject {
  project_id: string;
  name: string;
  description: string;
  created_at: string;
  created_by: string;
  policy: Policy;
  members: ShownMember[];
  version: number;
  position: number;
}

/** How far a read model is. */
export interface ShownProjection {
  projection: string;
  version: number;
  position: number;
  /** Events of the log that it does not show yet. */
  lag: number;
  events: number;
  /** Streams that wait for a retry or a skip. */
  parked: number;
  /** The process that keeps it up to date. */
  owner: string | null;
  /** How far a rebuild beside it is, where there is one. */
  rebuilding_at: number | null;
  updated_at: string;
}

/** A version with its text. */
export interface ShownPrompt {
  version: number;
  sha256: string;
  note: string;
  labels: string[];
  template: string;
}

/** A version; its text is asked for by itself. */
export interface ShownPromptVersion {
  version: number;
  sha256: string;
  note: string;
  labels: string[];
}

/** A comment that was refused; what it said is kept nowhere. */
export interface ShownRefusal {
  index: number;
  code: string;
  type: string | null;
  line: number | null;
  reason: string | null;
}

/** A replay as a job. */
export interface ShownReplay {
  replay_id: string;
  mode: "audit" | "check" | "dry_run" | "rebuild";
  projections: string[];
  to: string | null;
  status: "cancelled" | "completed" | "failed" | "interrupted" | "running";
  requested_by: string;
  requested_at: string;
  ended_at: string | null;
  progress: ReplayProgress | null;
  results: Replayed[];
  cause: string | null;
}

/** For how many days things are kept. */
export interface ShownRetention {
  source_days: number;
  comment_days: number;
}

/** A review. Its diff, its certificate and the file are below its own address. */
export interface ShownReview {
  review_id: string;
  project_id: string;
  path: string;
  language: string;
  /** SHA-256 in hex. */
  source_sha256: string;
  size_bytes: number;
  lines: number;
  style: ReviewStyle;
  status: "cancelled" | "closed" | "failed" | "generating" | "ready" | "refused" | "requested";
  requested_by: string;
  requested_at: string;
  attempt: number;
  prompt_version: number | null;
  model: string | null;
  comments: ShownSuggestion[];
  refused: ShownRefusal[];
  usage: ShownUsage | null;
  /** Why it was refused or failed; stable. */
  code: string | null;
  message: string | null;
  applied_at: string | null;
  after_sha256: string | null;
  ended_at: string | null;
  version: number;
  /** Of the command that is answered. */
  position: number | null;
  progress: ShownReviewProgress | null;
}

/** How far the model's answer is. */
export interface ShownReviewProgress {
  stage: "answering" | "asking" | "checking" | "waiting";
  tries: number;
  answer_chars: number;
}

/** What people decided on the comments of one version. `approval` is the share of approved among decided ones. */
export interface ShownScore {
  version: number;
  reviews: number;
  undecided: number;
  approved: number;
  edited: number;
  discarded: number;
  retracted: number;
  refused: number;
  approval: number | null;
}

/** The part of the history that was asked for; what was not asked for is left out. */
export interface ShownSelection {
  project_id: string | null;
  actor: string | null;
  types: string[];
  stream_id: string | null;
  since: string | null;
  until: string | null;
  after: number;
  through: number | null;
}

/** All settings. */
export interface ShownSettings {
  ai: ShownAiSettings;
  retention: ShownRetention;
  version: number;
}

/** Where an imported task comes from, as the other system told it. */
export interface ShownSource {
  system: string;
  external_id: string;
  url: string | null;
  author: string | null;
  created_at: string | null;
  closed_at: string | null;
  closed_reason: string | null;
}

/** A comment that may be decided on. Its words are none when they are no longer kept. */
export interface ShownSuggestion {
  index: number;
  type: "header" | "inline";
  target: Target;
  /** SHA-256 in hex. */
  content_sha256: string;
  decision: "approved" | "discarded" | "edited" | "retracted" | "suggested";
  decided_by: string | null;
  decided_at: string | null;
  content: string | null;
}

/** What a task says. */
export interface ShownText {
  task_id: string;
  project_id: string;
  title: string;
  description: string;
}

/** What the answer took; the cost is millionths of a US dollar. */
export interface ShownUsage {
  tries: number;
  input_tokens: number;
  output_tokens: number;
  cost_micros: number | null;
  duration_ms: number;
}

/** An e-mail address and its password. */
export interface SignInRequest {
  email: string;
  /** As it is typed; white space is part of it. */
  password: string;
  scopes?: ("admin" | "live" | "read" | "write")[];
}

/** Why the read model goes on without the event; it is kept in the history. */
export interface SkipRequest {
  reason: string;
}

/** A ticket that opens one WebSocket in the name of the token that asked for it. */
export interface SocketTicketAnswer {
  ticket: string;
  expires_at: string;
}

/** A file to be documented. */
export interface SubmitRequest {
  path: string;
  /** The file's text; its UTF-8 is the file, byte for byte. */
  source: string;
  /** Left out: by the file's name. One that is not known is refused. */
  language?: string | null;
  style?: ReviewStyle;
}

/** Where a comment stands: above this line of the submitted file, counted from 1. */
export interface Target {
  line: number;
}

/** A task as its card on the board shows it; `version` and `position` are those of its last event. */
export interface TaskCard {
  task_id: string;
  project_id: string;
  title: string;
  state: "approved" | "archived" | "completed" | "help_requested" | "helping" | "open";
  assignee_id: string | null;
  assignees: string[];
  labels: string[];
  priority: "high" | "low" | "medium" | "none" | "urgent";
  due: string | null;
  created_at: string;
  created_by: string | null;
  updated_at: string;
  version: number;
  position: number;
  comments: number;
  help: ShownHelp | null;
  completed_at: string | null;
  completed_by: string | null;
  approved_at: string | null;
  approved_by: string | null;
  denied_reason: string | null;
  archived_from: "approved" | "archived" | "completed" | "help_requested" | "helping" | "open" | null;
  source: ShownSource | null;
}

/** One task with its text, its first comments, and the transitions that its state allows. */
export interface TaskDetail {
  task: TaskCard;
  text: ShownText;
  comments: ShownComment[];
  next_comments: string | null;
  allowed: string[];
  position: number;
}

/** Tasks in the order that was asked for, as they stood at `position`. */
export interface TaskPage {
  items: TaskCard[];
  next_cursor: string | null;
  position: number;
}

/** A personal access token, without its secret. */
export interface TokenAnswer {
  token_id: string;
  name: string;
  scopes: ("admin" | "live" | "read" | "write")[];
  created_at: string;
  expires_at: string | null;
  /** To the minute. */
  last_used_at: string | null;
}

/** A new token with its secret, which is shown here and never again. */
export interface TokenCreated {
  token_id: string;
  name: string;
  scopes: ("admin" | "live" | "read" | "write")[];
  created_at: string;
  expires_at: string | null;
  /** To the minute. */
  last_used_at: string | null;
  token: string;
}

/** A personal access token; it reaches no further than the token that asks for it. */
export interface TokenCreation {
  name: string;
  scopes: ("admin" | "live" | "read" | "write")[];
  expires_at?: string | null;
}

/** A new session. Keep the refresh token: showing an old one again ends the session. */
export interface TokenPairAnswer {
  /** `Authorization: Bearer hsa_…` */
  access_token: string;
  refresh_token: string;
  token_type: "Bearer";
  /** Seconds until the access token expires. */
  expires_in: number;
  scopes: ("admin" | "live" | "read" | "write")[];
  account_id: string;
}

/** The caller's personal access tokens, the newest first. */
export interface TokensAnswer {
  tokens: TokenAnswer[];
}

/** What one template led to; `code` and `message` say why where it led to nothing. */
export interface Trial {
  version: number | null;
  comments: TriedComment[];
  refused: ShownRefusal[];
  usage: ShownUsage | null;
  diff: string;
  code: string | null;
  message: string | null;
}

/** A comment that passed every check. */
export interface TriedComment {
  index: number;
  type: string;
  target: Target;
  content: string;
}

/** Somebody who watches. `name` is the account's, or what a guest called themselves; who is `away` may resume. */
export interface Viewer {
  viewer_id: string;
  account_id: string | null;
  name: string;
  status: "away" | "left" | "removed" | "watching";
  joined_at: string;
}

/** An access token for the page; the refresh token is in a cookie. */
export interface WebTokenAnswer {
  access_token: string;
  token_type: "Bearer";
  /** Seconds until the access token expires. */
  expires_in: number;
  scopes: ("admin" | "live" | "read" | "write")[];
  account_id: string;
}

/** The code that the page was sent, and the verifier that only this page knows (RFC 7636). */
export interface WebTokenRequest {
  code: string;
  code_verifier: string;
}

/** A page of the history. */
export interface WholeHistoryPage {
  items: HistoryItem[];
  next_cursor: string | null;
  position: number;
}
