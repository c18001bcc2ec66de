-- The Merkle tree over the log, and the checkpoints signed so far. The tree can be thrown away and rebuilt from the
-- log at any time; the checkpoints are also written outside the database.

CREATE SCHEMA proof AUTHORIZATION hivesync_app;

CREATE TABLE proof.tiles (
    level  int    NOT NULL CHECK (level >= 0),
    number bigint NOT NULL CHECK (number >= 0),
    hashes bytea  NOT NULL CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
    PRIMARY KEY (level, number)
);
ALTER TABLE proof.tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;
COMMENT ON TABLE proof.tiles IS
    'Hashes of complete subtrees of 256^level events, 256 a row; the last row of a level grows until it is full.';

CREATE TABLE proof.checkpoints (
    size      bigint      NOT NULL CHECK (size >= 0),
    note      text        NOT NULL,
    signed_at timestamptz NOT NULL,
    PRIMARY KEY (size)
);
COMMENT ON TABLE proof.checkpoints IS 'Signed notes (c2sp.org/tlog-checkpoint) over the first `size` events.';

ALTER TABLE proof.tiles OWNER TO hivesync_app;
ALTER TABLE proof.checkpoints OWNER TO hivesync_app;
