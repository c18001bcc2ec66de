-- Where read models live, and how far each of them has come.

CREATE SCHEMA readmodel AUTHORIZATION hivesync_app;
COMMENT ON SCHEMA readmodel IS 'Read models that serve. Each can be thrown away and rebuilt from the log.';
CREATE SCHEMA rebuild AUTHORIZATION hivesync_app;
COMMENT ON SCHEMA rebuild IS 'Read models that are being rebuilt beside those that serve.';

CREATE TABLE ops.projections (
    name             text        NOT NULL,
    -- live: it serves; rebuild: it is built beside the live one.
    build            text        NOT NULL CHECK (build IN ('live', 'rebuild')),
    version          int         NOT NULL,
    position         bigint      NOT NULL DEFAULT 0,
    -- The completeness audit: how many events were processed, and the sum of their hashes modulo 2^256.
    events           bigint      NOT NULL DEFAULT 0,
    digest           bytea       NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    -- The lease: one process works on a projection; each new holder gets a higher fence, and writes only under its own.
    owner            text,
    owner_pid        int,
    fence            bigint      NOT NULL DEFAULT 0,
    lease_expires_at timestamptz NOT NULL DEFAULT '-infinity',
    updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, build)
);

-- Streams that a projection could not go on with: the events from `position` on wait for a retry or a skip.
CREATE TABLE ops.parked_streams (
    name      text        NOT NULL,
    build     text        NOT NULL,
    stream_id uuid        NOT NULL,
    position  bigint      NOT NULL,
    topic     text        NOT NULL,
    cause     text        NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, build, stream_id)
);

-- How events and digest stood every some thousand events: what narrows down where an event was skipped or doubled.
CREATE TABLE ops.projection_marks (
    name     text   NOT NULL,
    build    text   NOT NULL,
    position bigint NOT NULL,
    events   bigint NOT NULL,
    digest   bytea  NOT NULL,
    PRIMARY KEY (name, build, position)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON ops.projections, ops.parked_streams, ops.projection_marks TO hivesync_app;
