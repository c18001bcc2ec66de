-- Replays that were asked for over the API: what, by whom, how far, and what came of it.

CREATE TABLE ops.replays (
    replay_id    uuid        PRIMARY KEY,
    mode         text        NOT NULL CHECK (mode IN ('rebuild', 'dry_run', 'check', 'audit')),
    projections  text[]      NOT NULL,
    up_to        text,
    requested_by uuid        NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    status       text        NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
    -- Said again and again by the process that runs it; one that says nothing for long has died.
    heard_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at     timestamptz,
    progress     text,
    results      text        NOT NULL DEFAULT '[]',
    cause        text
);
CREATE INDEX replays_by_time ON ops.replays (requested_at DESC);

GRANT SELECT, INSERT, UPDATE, DELETE ON ops.replays TO hivesync_app;
