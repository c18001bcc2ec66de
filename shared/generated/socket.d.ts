// Made by `python -m adapters.clients.types` from the server's own models. Do not edit.

/** Nobody can sign in to the account, and its tokens are void. */
export interface AccountDisabled {
}

/** The account can sign in again; its former tokens stay void. */
export interface AccountEnabled {
}

/** The personal data of the account is deleted; its history stays, without a name. */
export interface AccountErased {
}

/** The password is another one; the other sessions of the account ended. */
export interface AccountPasswordChanged {
  cause: "admin" | "own";
}

/** A refresh token was shown a second time: somebody holds a copy, so the whole session ended. */
export interface AccountRefreshTokenReused {
  session_id: string;
  client_id: string;
}

/** An account exists from here on. */
export interface AccountRegistered {
  account_id: string;
  origin: "admin" | "invitation" | "set_up";
  is_admin: boolean;
  invitation_id?: string | null;
}

/** The account became an admin, or is none any more. */
export interface AccountRoleChanged {
  is_admin: boolean;
}

/** A personal access token was made; its name and its secret are not in the log. */
export interface AccountTokenCreated {
  token_id: string;
  scopes: ("admin" | "live" | "read" | "write")[];
  expires_at: string | null;
}

/** A personal access token is void. */
export interface AccountTokenRevoked {
  token_id: string;
}

/** The account no longer counts among those who can administer this installation. */
export interface AdminSeatGivenUp {
  account_id: string;
}

/** The account counts among those who can administer this installation. */
export interface AdminSeatTaken {
  account_id: string;
}

/** How the model is asked is different from now on; what did not change is unset. Prices are per million tokens. */
export interface AiSettingsChanged {
  changed_by: string;
  base_url?: string | null;
  model?: string;
  timeout_s?: number;
  tries_max?: number;
  answer_tokens_max?: number;
  source_bytes_max?: number;
  input_price_micros?: number | null;
  output_price_micros?: number | null;
}

/** A project's policy (TASK-1): who may approve, and whether one may approve one's own work. */
export interface ApprovalPolicy {
  approvers?: Approvers;
  may_approve_own_work?: boolean;
}

/** Who may approve and deny completed tasks, beside the owners, who always may. */
export type Approvers = "members" | "owners";

/** Prove who you are: the first message, and again before a token ends. Either a token or a one-time ticket. In the first message `after` is the last position that the client has, whose later events it is sent then; without it events come from now on. `projects` is what to subscribe to. Both are passed by in a renewal. */
export interface Auth {
  token?: string | null;
  ticket?: string | null;
  after?: number | null;
  projects?: "all" | string[];
}

/** The socket is authenticated, or its token renewed; the message's position is where events go on after. `projects` are those of the subscription that the account belongs to now. `valid_until` is when the socket is closed unless the token is renewed before; none where it does not end. */
export interface AuthAccepted {
  account_id: string;
  scopes: string[];
  projects: string[];
  valid_until: string | null;
  heartbeat_s: number;
}

/** Other words for a comment, checked like the first ones; who wrote them approves them. */
export interface CommentEdited {
  index: number;
  content_sha256: string;
  chars: number;
  edited_by: string;
}

/** These comments, as they stand, may be inserted. */
export interface CommentsApproved {
  indexes: number[];
  approved_by: string;
}

/** These comments are not to be inserted. */
export interface CommentsDiscarded {
  indexes: number[];
  discarded_by: string;
}

/** These comments are called back, whatever had been decided; `reason` is for people. */
export interface CommentsRetracted {
  indexes: number[];
  reason: string;
  retracted_by: string;
}

/** How much is to be said. */
export type Detail = "brief" | "normal" | "thorough";

/** Why a session ended. */
export type EndReason = "host_away" | "host_ended" | "host_not_member" | "no_viewers" | "owner_ended";

/** Somebody does not want it any more. */
export interface ExportCancelled {
  cancelled_by: string;
}

/** The file is there. `sha256` is of its bytes, in hex; positions are none where it holds no event. */
export interface ExportCompleted {
  rows: number;
  size_bytes: number;
  sha256: string;
  first_position: number | null;
  last_position: number | null;
}

/** The file could not be written; `cause` is for people. */
export interface ExportFailed {
  cause: string;
}

/** The form of an export's file; its value is the file's ending. */
export type ExportFormat = "csv" | "jsonl" | "jsonocel" | "txt";

/** The file was deleted; `removed_by` is none where retention did it. */
export interface ExportRemoved {
  removed_by: string | null;
  cause: RemovalCause;
}

/** Somebody wants a part of the history as a file. Where the selection does not say `through` which position, it is the last one before this event. */
export interface ExportRequested {
  export_id: string;
  project_id: string | null;
  format: ExportFormat;
  selection: Selection;
  requested_by: string;
}

/** An assignee as the other system named them, with the account they are here where one is known. */
export interface ExternalAssignee {
  name: string;
  account_id?: string | null;
}

/** A worker asks the model. `attempt` counts from 1; another one follows where a worker died. */
export interface GenerationStarted {
  attempt: number;
  prompt_version: number;
  prompt_sha256: string;
  provider: string;
  model: string;
}

/** The socket lives, and nothing is missing up to the message's position. */
export interface Heartbeat {
}

/** The helper is still at it: the lease runs out later. */
export interface HelpCheckedIn {
  helper_id: string;
  lease_expires_at: string;
}

/** Another member helps until the lease runs out, or longer if they check in. */
export interface HelpClaimed {
  helper_id: string;
  lease_expires_at: string;
}

/** The claim's lease ran out at `lease_expires_at`; the call for help stands again. */
export interface HelpLeaseExpired {
  helper_id: string;
  lease_expires_at: string;
}

/** The claim was given back; the call for help stands again. `helper_id` is who had claimed it. */
export interface HelpReleased {
  helper_id: string;
}

/** A member called for help; the task waits in the help queue. */
export interface HelpRequested {
  requested_by: string;
  reason: string;
}

/** The call for help was taken back; the task is open. */
export interface HelpWithdrawn {
}

/** Where an applied comment went: before which byte and above which line of the file before, and its own bytes. */
export interface Insertion {
  index: number;
  offset: number;
  size_bytes: number;
  line: number;
}

/** The invitation was used, once and for all. */
export interface InvitationAccepted {
  account_id: string;
}

/** Somebody who holds the invitation's secret may make an account until `expires_at`. */
export interface InvitationMade {
  invited_by: string;
  expires_at: string;
  project_id?: string | null;
  role?: Role | null;
}

/** The invitation was taken back before anybody used it. */
export interface InvitationRevoked {
}

/** Whoever shows the token behind this hash (SHA-256, in hex) may join until it expires. */
export interface InviteMade {
  invite_id: string;
  token_sha256: string;
  made_by: string;
  expires_at: string;
}

/** The invite lets nobody in any more. */
export interface InviteRevoked {
  invite_id: string;
  revoked_by: string;
}

/** Why a viewer left. */
export type LeaveReason = "left" | "not_member" | "timed_out";

/** An account is a member now. */
export interface MemberAdded {
  account_id: string;
  role: Role;
}

/** An account is no member any more: it left, or was removed. */
export interface MemberRemoved {
  account_id: string;
}

/** A member has another role now. */
export interface MemberRoleChanged {
  account_id: string;
  role: Role;
}

/** Ask for a `pong`. */
export interface Ping {
  nonce?: string | null;
}

/** The answer to a `ping`, with its nonce. */
export interface Pong {
  nonce: string | null;
}

/** How urgent a task is, from not at all to most. */
export type Priority = "high" | "low" | "medium" | "none" | "urgent";

/** A message was understood and not carried out; the socket stays open. `code` is stable: `message.unknown_type`, or `project.unknown` with the `projects` that the account cannot hear of. `about` is the type of the message. */
export interface Problem {
  code: "message.unknown_type" | "project.unknown";
  message: string;
  about: string;
  projects?: string[];
}

/** A project exists. Its creator is its first owner: no `MemberAdded` follows for them. */
export interface ProjectCreated {
  project_id: string;
  name: string;
  description: string;
  created_by: string;
  policy: ApprovalPolicy;
}

/** Name or description changed; what did not change is unset. */
export interface ProjectEdited {
  name?: string;
  description?: string;
}

/** Who may approve is decided otherwise from now on. */
export interface ProjectPolicyChanged {
  policy: ApprovalPolicy;
}

/** A read model leaves out the event at `position` of `stream_id`, now and in every rebuild. `skipped_by` is none where it was done on the command line. */
export interface ProjectionEventSkipped {
  projection: string;
  stream_id: string;
  position: number;
  reason: string;
  skipped_by: string | null;
}

/** A read model was rebuilt from `events` events up to `position` and put in the place of the one before. */
export interface ProjectionRebuilt {
  projection: string;
  version: number;
  position: number;
  events: number;
  rebuilt_by: string | null;
}

/** A label points at this version now; at `before` until then, none where the label is new. */
export interface PromptLabelMoved {
  label: string;
  version: number;
  before: number | null;
  moved_by: string | null;
}

/** Somebody tried a template in the playground; `version` is none for one that was not kept. Counts, no more. */
export interface PromptTried {
  version: number | null;
  language: string;
  size_bytes: number;
  suggestions: number;
  refused: number;
  input_tokens: number;
  output_tokens: number;
  tried_by: string;
}

/** A version exists and never changes; `added_by` is none for the one that HiveSync comes with. */
export interface PromptVersionAdded {
  version: number;
  sha256: string;
  chars: number;
  note: string;
  added_by: string | null;
}

/** A comment that a check refused; what it said is kept nowhere. Type and line are none where it had none. */
export interface RefusedSuggestion {
  index: number;
  code: string;
  type?: string | null;
  line?: number | null;
}

/** Why the file of an export was removed. */
export type RemovalCause = "asked" | "retention";

/** Events were left out: read the state anew from the API, at the message's position or later. Events after that position follow on this socket. */
export interface Resync {
  reason: "position_unknown" | "too_far_behind";
}

/** Sources and the words of comments are kept for so many days from now on, what is stored already too. */
export interface RetentionChanged {
  changed_by: string;
  source_days?: number;
  comment_days?: number;
}

/** The file with the approved comments was handed out, with the proof that its code is the same. `base_sha256` is of the file that they were inserted into, which may have changed since it was submitted; `drifted` are approved comments that have no certain place in it and were left out. */
export interface ReviewApplied {
  base_sha256: string;
  after_sha256: string;
  tokens_sha256: string;
  grammar: string;
  insertions: Insertion[];
  drifted: number[];
  applied_by: string;
}

/** Somebody does not want it any more. */
export interface ReviewCancelled {
  cancelled_by: string;
}

/** Nothing more is decided here. */
export interface ReviewClosed {
  closed_by: string;
}

/** No answer could be had; `code` and `message` say why. */
export interface ReviewFailed {
  attempt: number;
  code: string;
  message: string;
  usage: Usage;
}

/** How far the comments for a file are that a model is asked for. It may be lost; what counts are the events. `tries` counts from 1; `answer_chars` is how much of the answer has come. */
export interface ReviewProgress {
  project_id: string;
  review_id: string;
  stage: "answering" | "asking" | "checking" | "waiting";
  tries: number;
  answer_chars: number;
}

/** Comments are there to be decided on. The words are in the blob `answer_sha256`. */
export interface ReviewReady {
  attempt: number;
  answer_sha256: string;
  suggestions: Suggestion[];
  refused: RefusedSuggestion[];
  usage: Usage;
}

/** The file, the model or every comment was refused; `code` and `message` say why, without quoting any. Where it was every comment, the reasons are in the blob `answer_sha256`. */
export interface ReviewRefused {
  attempt: number;
  code: string;
  message: string;
  refused: RefusedSuggestion[];
  usage: Usage;
  answer_sha256?: string;
}

/** Somebody wants a file documented. The source is in the blob store under its hash, for as long as it is kept. */
export interface ReviewRequested {
  review_id: string;
  project_id: string;
  path: string;
  language: string;
  source_sha256: string;
  size_bytes: number;
  lines: number;
  style: Style;
  requested_by: string;
}

/** What a member is in a project. An owner manages and reviews, a member works, an auditor only reads. */
export type Role = "auditor" | "member" | "owner";

/** A part of the history. `types` are topics (`task.help_claimed.v1`) or what topics begin with, by whole parts (`task`, `task.help_claimed`). `actor` is an account id as text, or `system`. `since` is within, `until` is not; both look at the time of recording. Positions run from the one after `after` to `through`, which is within. */
export interface Selection {
  project_id?: string | null;
  actor?: string | null;
  types?: string[];
  stream_id?: string | null;
  since?: string | null;
  until?: string | null;
  after?: number;
  through?: number | null;
}

/** Nothing is shown any more; `ended_by` is none where it ended by itself. */
export interface SessionEnded {
  reason: EndReason;
  ended_by: string | null;
}

/** A host began to show files. `allow` are the patterns of what may be shown at all; everything where it is empty. */
export interface SessionStarted {
  session_id: string;
  project_id: string;
  host_id: string;
  title: string;
  allow: string[];
  started_at: string;
}

/** The state that a task is in. */
export type Status = "approved" | "archived" | "completed" | "help_requested" | "helping" | "open";

/** How the comments are to be written. `tongue` is the language that people read (BCP 47). */
export interface Style {
  detail?: Detail;
  header?: boolean;
  tongue?: string;
  comments_max?: number;
}

/** Hear of these projects from now on, and of no others. Events of one's own account come in any case. */
export interface Subscribe {
  projects: "all" | string[];
}

/** The subscription is another one: events after the message's position are those of `projects`. */
export interface Subscribed {
  projects: string[];
}

/** A comment that passed every check. Its words are in the review's answer, under the same index. */
export interface Suggestion {
  index: number;
  type: string;
  line: number;
  content_sha256: string;
  chars: number;
}

/** A reviewer took the work. None and the original time as in `TaskCompleted`. */
export interface TaskApproved {
  approved_by: string | null;
  occurred_at?: string | null;
}

/** The task is put away. */
export interface TaskArchived {
}

/** Somebody said something about the task. */
export interface TaskCommented {
  comment_id: string;
  author_id: string;
  text: string;
}

/** The work is done and waits for a reviewer; help, if there was any, has ended. `completed_by` is none and `occurred_at` the original time where another system told it. */
export interface TaskCompleted {
  completed_by: string | null;
  occurred_at?: string | null;
}

/** A task exists and is open. `labels` are sorted and without doubles. */
export interface TaskCreated {
  project_id: string;
  title: string;
  description: string;
  labels: string[];
  priority: Priority;
  due: string | null;
  assignee_id: string | null;
  created_by: string;
}

/** A reviewer did not take the work; the task is open again. */
export interface TaskDenied {
  denied_by: string;
  reason: string;
}

/** Some of these changed; what did not change is unset. A `due` of none took the date away. */
export interface TaskEdited {
  title?: string;
  description?: string;
  labels?: string[];
  priority?: Priority;
  due?: string | null;
}

/** A task exists and is open, as another system told it; the times are that system's. `source` is that system (`github`, `csv`), `external_id` its name for the task, unique in the project and source. `author` is a name there, not an account here. `shortened` names the fields that did not fit as they were. A task that was closed there is completed and approved by the events that follow in the same append. */
export interface TaskImported {
  project_id: string;
  source: string;
  external_id: string;
  url: string | null;
  title: string;
  description: string;
  labels: string[];
  priority: Priority;
  due: string | null;
  author: string | null;
  assignees: ExternalAssignee[];
  assignee_id: string | null;
  created_at: string | null;
  updated_at: string | null;
  closed_at: string | null;
  closed_reason: string | null;
  shortened: string[];
  imported_by: string;
}

/** Somebody else has the task, or nobody. `reopens` where it was completed: it is open again. */
export interface TaskReassigned {
  assignee_id: string | null;
  reopens: boolean;
}

/** The task is back in `status`, the state it was archived in, with its helper and lease as they were. */
export interface TaskRestored {
  status: Status;
}

/** What a generation took. `cost_micros` is millionths of a US dollar, none where no price is set. */
export interface Usage {
  tries: number;
  input_tokens?: number;
  output_tokens?: number;
  cost_micros?: number | null;
  duration_ms?: number;
}

/** Somebody watches: by an invite, or as a member of the project. A guest has no account. */
export interface ViewerJoined {
  viewer_id: string;
  account_id: string | null;
  invite_id: string | null;
}

/** A viewer watches no more. */
export interface ViewerLeft {
  viewer_id: string;
  reason: LeaveReason;
}

/** The host, or an owner of the project, sent a viewer away. */
export interface ViewerRemoved {
  viewer_id: string;
  removed_by: string;
}

/** An event of the log; `position` says that everything up to it that concerns the socket has been sent. */
export type EventMessage = { [Name in keyof Events]: {
  event_type: Name;
  payload: Events[Name];
  position: number;
  stream_id: string;
  version: number;
  time: string;
  actor: string;
  project_id: string | null;
  event_id: string;
  schema_version: number;
} }[keyof Events];

/** Any other message from the server. */
export type OtherMessage = { [Name in keyof Messages]: {
  event_type: Name;
  payload: Messages[Name];
  position: number;
} }[keyof Messages];

/** What an event is called, and what it carries. */
export interface Events {
  "account.registered": AccountRegistered;
  "account.role_changed": AccountRoleChanged;
  "account.disabled": AccountDisabled;
  "account.enabled": AccountEnabled;
  "account.password_changed": AccountPasswordChanged;
  "account.token_created": AccountTokenCreated;
  "account.token_revoked": AccountTokenRevoked;
  "account.refresh_token_reused": AccountRefreshTokenReused;
  "account.erased": AccountErased;
  "invitation.made": InvitationMade;
  "invitation.accepted": InvitationAccepted;
  "invitation.revoked": InvitationRevoked;
  "admins.seat_taken": AdminSeatTaken;
  "admins.seat_given_up": AdminSeatGivenUp;
  "project.created": ProjectCreated;
  "project.edited": ProjectEdited;
  "project.member_added": MemberAdded;
  "project.member_role_changed": MemberRoleChanged;
  "project.member_removed": MemberRemoved;
  "project.policy_changed": ProjectPolicyChanged;
  "task.created": TaskCreated;
  "task.imported": TaskImported;
  "task.edited": TaskEdited;
  "task.help_requested": HelpRequested;
  "task.help_withdrawn": HelpWithdrawn;
  "task.help_claimed": HelpClaimed;
  "task.help_checked_in": HelpCheckedIn;
  "task.help_released": HelpReleased;
  "task.help_lease_expired": HelpLeaseExpired;
  "task.completed": TaskCompleted;
  "task.approved": TaskApproved;
  "task.denied": TaskDenied;
  "task.reassigned": TaskReassigned;
  "task.commented": TaskCommented;
  "task.archived": TaskArchived;
  "task.restored": TaskRestored;
  "projection.event_skipped": ProjectionEventSkipped;
  "projection.rebuilt": ProjectionRebuilt;
  "export.requested": ExportRequested;
  "export.completed": ExportCompleted;
  "export.failed": ExportFailed;
  "export.cancelled": ExportCancelled;
  "export.removed": ExportRemoved;
  "review.requested": ReviewRequested;
  "review.generation_started": GenerationStarted;
  "review.ready": ReviewReady;
  "review.refused": ReviewRefused;
  "review.failed": ReviewFailed;
  "review.cancelled": ReviewCancelled;
  "review.comments_approved": CommentsApproved;
  "review.comment_edited": CommentEdited;
  "review.comments_discarded": CommentsDiscarded;
  "review.comments_retracted": CommentsRetracted;
  "review.applied": ReviewApplied;
  "review.closed": ReviewClosed;
  "prompt.version_added": PromptVersionAdded;
  "prompt.label_moved": PromptLabelMoved;
  "prompt.tried": PromptTried;
  "settings.ai_changed": AiSettingsChanged;
  "settings.retention_changed": RetentionChanged;
  "live.session_started": SessionStarted;
  "live.invite_made": InviteMade;
  "live.invite_revoked": InviteRevoked;
  "live.viewer_joined": ViewerJoined;
  "live.viewer_left": ViewerLeft;
  "live.viewer_removed": ViewerRemoved;
  "live.session_ended": SessionEnded;
}

/** What the server says beside the events of the log. */
export interface Messages {
  "auth.accepted": AuthAccepted;
  "subscribed": Subscribed;
  "pong": Pong;
  "heartbeat": Heartbeat;
  "resync": Resync;
  "error": Problem;
  "review.progress": ReviewProgress;
}

/** Why the server closes; the table stands in the socket's description. */
export type CloseCode = 1000 | 1002 | 1003 | 1007 | 1009 | 1011 | 1012 | 1013 | 4400 | 4401 | 4403 | 4404 | 4405 | 4408 | 4409 | 4410 | 4414 | 4419 | 4429 | 4430 | 4431 | 4441 | 4442;
