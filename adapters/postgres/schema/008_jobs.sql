-- The queue of jobs where there is no Redis, in the form that SAQ 0.26 gives it (its own migrations need more rights),
-- and how far jobs are. Nothing here is the truth: every job is derived from the events again where it is lost.

CREATE SCHEMA jobs;

CREATE TABLE jobs.saq_versions (version integer);
INSERT INTO jobs.saq_versions VALUES (3);

CREATE TABLE jobs.saq_jobs (
    key       text     PRIMARY KEY,
    lock_key  serial   NOT NULL,
    job       bytea    NOT NULL,
    queue     text     NOT NULL,
    status    text     NOT NULL,
    priority  smallint NOT NULL DEFAULT 0,
    group_key text,
    scheduled bigint   NOT NULL DEFAULT extract(epoch FROM now()),
    expire_at bigint
);
CREATE INDEX saq_jobs_status_queue_group_key_idx ON jobs.saq_jobs (status, queue, group_key);
CREATE INDEX saq_jobs_status_queue_priority_scheduled_idx ON jobs.saq_jobs (status, queue, priority, scheduled);

CREATE TABLE jobs.saq_stats (
    worker_id text PRIMARY KEY,
    stats     jsonb,
    expire_at bigint,
    metadata  jsonb,
    queue_key text
);
CREATE INDEX saq_stats_expire_at_idx ON jobs.saq_stats (expire_at);
CREATE INDEX saq_stats_queue_key_idx ON jobs.saq_stats (queue_key);

CREATE UNLOGGED TABLE jobs.review_progress (
    review_id    uuid        PRIMARY KEY,
    stage        text        NOT NULL CHECK (stage IN ('asking', 'answering', 'waiting', 'checking')),
    tries        integer     NOT NULL,
    answer_chars integer     NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

GRANT USAGE ON SCHEMA jobs TO hivesync_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO hivesync_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA jobs TO hivesync_app;
