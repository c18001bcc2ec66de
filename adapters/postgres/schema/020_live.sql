-- What the processes must know of live sessions while they run: who may come back, where they are, since when they are
-- away. Nothing of a text, ever. Rules are decided from the log; these rows hold secrets by their hash and times.

CREATE SCHEMA live;

-- A process that serves live sockets, and when it was last alive: whoever is attached to it was seen then.
CREATE TABLE live.nodes (
    node_id uuid        PRIMARY KEY,
    seen_at timestamptz NOT NULL
);

-- epoch counts how often a host has begun anew: at the first time, and whenever it came back to a process that had not
-- what it showed. wire_key encrypts what processes tell each other of the session's text.
CREATE TABLE live.sessions (
    session_id   uuid        PRIMARY KEY,
    project_id   uuid        NOT NULL,
    host_id      uuid        NOT NULL,
    started_at   timestamptz NOT NULL,
    epoch        bigint      NOT NULL DEFAULT 0,
    wire_key     bytea       NOT NULL CHECK (octet_length(wire_key) = 32),
    host_node    uuid,
    host_seen_at timestamptz NOT NULL,
    ended_at     timestamptz
);
CREATE INDEX sessions_running ON live.sessions (session_id) WHERE ended_at IS NULL;

CREATE TABLE live.invites (
    token_hash bytea       PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    invite_id  uuid        NOT NULL,
    session_id uuid        NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX invites_by_expiry ON live.invites (expires_at);

-- node is the process that the viewer's socket is on, none while it is away; seen_at is when it came or went.
CREATE TABLE live.viewers (
    viewer_id  uuid        PRIMARY KEY,
    session_id uuid        NOT NULL,
    account_id uuid,
    guest_name text,
    token_hash bytea       NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    joined_at  timestamptz NOT NULL,
    node       uuid,
    seen_at    timestamptz NOT NULL,
    gone_at    timestamptz
);
CREATE INDEX viewers_by_session ON live.viewers (session_id);
CREATE INDEX viewers_present ON live.viewers (seen_at) WHERE gone_at IS NULL;
COMMENT ON COLUMN live.viewers.guest_name IS 'What a guest without an account called themselves: not in the log.';

-- The ledger of exposure. A session's messages are numbered within an epoch. What was shown to whoever attended lies in
-- exposure_shown; who attended, and for which numbers, in exposure_attendance; a snapshot shows every line of its files.
CREATE TABLE live.exposure_shown (
    session_id uuid        NOT NULL,
    epoch      bigint      NOT NULL,
    first_seq  bigint      NOT NULL,
    last_seq   bigint      NOT NULL,
    file       text        NOT NULL,
    first_line integer     NOT NULL,
    last_line  integer     NOT NULL,
    shown_from timestamptz NOT NULL,
    shown_to   timestamptz NOT NULL
);
CREATE INDEX exposure_shown_by_session ON live.exposure_shown (session_id, epoch, last_seq);

CREATE TABLE live.exposure_snapshots (
    session_id uuid    NOT NULL,
    epoch      bigint  NOT NULL,
    seq        bigint  NOT NULL,
    file       text    NOT NULL,
    lines      integer NOT NULL,
    PRIMARY KEY (session_id, epoch, seq, file)
);

-- to_seq and until are none while the viewer attends, and for ever where the process was killed: then as much as was
-- shown until the process was last seen may have been seen.
CREATE TABLE live.exposure_attendance (
    attendance_id uuid        PRIMARY KEY,
    session_id    uuid        NOT NULL,
    viewer_id     uuid        NOT NULL,
    node          uuid        NOT NULL,
    epoch         bigint      NOT NULL,
    after_seq     bigint      NOT NULL,
    by_snapshot   boolean     NOT NULL,
    since         timestamptz NOT NULL,
    to_seq        bigint,
    until         timestamptz
);
CREATE INDEX exposure_attendance_by_session ON live.exposure_attendance (session_id, since);

GRANT USAGE ON SCHEMA live TO hivesync_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA live TO hivesync_app;
