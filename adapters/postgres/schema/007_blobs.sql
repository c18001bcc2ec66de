-- What people submit and models answer: encrypted, apart from the log, and kept for a while only (R6).
--
-- A blob is known by whom it belongs to (a project, or no one: the zero id) and the SHA-256 of what it holds in clear.
-- Its key lies in a table of its own, itself encrypted with the key of the installation: a dropped key makes the
-- content unreadable wherever a copy of it may be.

CREATE SCHEMA blobs;

CREATE TABLE blobs.content (
    owner_id   uuid        NOT NULL,
    sha256     bytea       NOT NULL CHECK (length(sha256) = 32),
    kind       text        NOT NULL CHECK (kind IN ('source', 'words', 'prompt')),
    size_bytes integer     NOT NULL,
    sealed     bytea       NOT NULL,
    -- The last time that somebody handed it in: what is kept counts from here.
    kept_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (owner_id, sha256)
);
ALTER TABLE blobs.content ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX content_by_age ON blobs.content (kind, kept_at);

CREATE TABLE blobs.keys (
    owner_id uuid  NOT NULL,
    sha256   bytea NOT NULL,
    sealed   bytea NOT NULL,
    PRIMARY KEY (owner_id, sha256)
);

GRANT USAGE ON SCHEMA blobs TO hivesync_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON blobs.content, blobs.keys TO hivesync_app;
