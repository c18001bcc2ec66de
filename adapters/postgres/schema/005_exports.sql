-- How far the exports are that are being written: for whoever asks, on any node. Nothing depends on it.

CREATE UNLOGGED TABLE ops.export_progress (
    export_id   uuid             PRIMARY KEY,
    rows        bigint           NOT NULL,
    size_bytes  bigint           NOT NULL,
    fraction    double precision NOT NULL,
    rows_per_s  double precision NOT NULL,
    elapsed_s   double precision NOT NULL,
    time_left_s double precision,
    updated_at  timestamptz      NOT NULL DEFAULT clock_timestamp()
);

GRANT SELECT, INSERT, UPDATE, DELETE ON ops.export_progress TO hivesync_app;
