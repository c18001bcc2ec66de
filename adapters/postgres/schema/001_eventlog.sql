-- The append-only log of events, and the one function that appends to it.

CREATE SCHEMA eventlog;

CREATE TABLE eventlog.events (
    notification_id    bigint      NOT NULL CHECK (notification_id > 0),
    originator_id      uuid        NOT NULL,
    originator_version bigint      NOT NULL CHECK (originator_version >= 0),
    topic              text        NOT NULL CHECK (strpos(topic, E'\n') = 0),
    state              text        NOT NULL,
    event_id           uuid        NOT NULL,
    recorded_at        timestamptz NOT NULL,
    actor              text        NOT NULL CHECK (strpos(actor, E'\n') = 0),
    correlation_id     uuid        NOT NULL,
    causation_id       uuid,
    command_id         uuid        NOT NULL,
    hash               bytea       NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (notification_id),
    UNIQUE (originator_id, originator_version),
    UNIQUE (event_id)
);
COMMENT ON TABLE eventlog.events IS 'Every change of state, in order, for ever. Only INSERT and SELECT.';
COMMENT ON COLUMN eventlog.events.notification_id IS 'Position in the log: 1, 2, 3 … without a gap.';
COMMENT ON COLUMN eventlog.events.originator_id IS 'The stream (a task, a project, an account).';
COMMENT ON COLUMN eventlog.events.originator_version IS 'Position in the stream: 1, 2, 3 … without a gap.';
COMMENT ON COLUMN eventlog.events.state IS 'The event as JSON.';
COMMENT ON COLUMN eventlog.events.hash IS 'SHA-256 over the previous hash and eventlog.canonical_text of this row.';

CREATE FUNCTION eventlog.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'eventlog.events is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END;
$body$;
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON eventlog.events
    FOR EACH ROW EXECUTE FUNCTION eventlog.refuse_change();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON eventlog.events
    FOR EACH STATEMENT EXECUTE FUNCTION eventlog.refuse_change();
-- Also for a session that replicates, which passes by ordinary triggers.
ALTER TABLE eventlog.events ENABLE ALWAYS TRIGGER append_only_rows, ENABLE ALWAYS TRIGGER append_only_table;

-- Kept beside the log, written in the same transaction: what a repeated command is answered.
CREATE TABLE eventlog.idempotency_keys (
    scope          text        NOT NULL,
    key            text        NOT NULL,
    fingerprint    bytea       NOT NULL,
    answer         text        NOT NULL,
    first_position bigint      NOT NULL,
    last_position  bigint      NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_by_age ON eventlog.idempotency_keys (recorded_at);

-- Eleven fields, one a line, the JSON last: the text that the chain of hashes runs over.
CREATE FUNCTION eventlog.canonical_text(
    at_position bigint, stream uuid, version bigint, topic text, event_id uuid, recorded_at timestamptz, actor text,
    correlation_id uuid, causation_id uuid, command_id uuid, state text
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $body$
    SELECT convert_to(
        at_position || E'\n' || stream || E'\n' || version || E'\n' || topic || E'\n' || event_id || E'\n'
        || (extract(epoch FROM recorded_at) * 1000000)::bigint || E'\n' || actor || E'\n' || correlation_id || E'\n'
        || coalesce(causation_id::text, '') || E'\n' || command_id || E'\n' || state, 'UTF8')
$body$;

CREATE TYPE eventlog.incoming AS (
    n bigint, c int, o uuid, v bigint, t text, s text, e uuid, r bigint, a text, k uuid, p uuid, m uuid
);

-- Appends a batch of commands. Each command is stored whole or not at all, and one that conflicts leaves the others
-- alone. `events` holds rows of eventlog.incoming without n: c the number of the command, o stream, v version, t topic,
-- s state, e event id, r recorded at in microseconds, a actor, k correlation, p causation, m command id.
-- `keys` holds the commands that carry an idempotency key: c, scope, key, fingerprint (hex), answer.
-- Answers one row for each command: stored, conflict, replayed (an earlier command with the key stands) or reused (the
-- key belongs to another command). A command that is sent again, because the answer to it was lost, is stored once: it
-- is known by its event ids, and answered as it was the first time.
CREATE FUNCTION eventlog.append(commands int, events json, keys json)
RETURNS TABLE (command int, outcome text, first_position bigint, last_position bigint, answer text)
LANGUAGE plpgsql VOLATILE
-- Every statement below finds its few rows by an index, whatever the statistics say; planning them anew each time takes
-- longer than running them.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $body$
#variable_conflict use_column
DECLARE
    incoming   eventlog.incoming[];
    refused    int[];
    answered   int[] := '{}';
    row        eventlog.incoming;
    head       bigint;
    previous   bytea;
    hashes     bytea[] := '{}';
    firsts     bigint[] := array_fill(NULL::bigint, ARRAY[commands], ARRAY[0]);
    lasts      bigint[] := firsts;
    first_free bigint;
BEGIN
    -- Serialises appends, so that positions are handed out in the order of commits and no reader passes one that is
    -- still to come. Each statement below sees what the last holder committed (READ COMMITTED).
    PERFORM pg_advisory_xact_lock(7237101);
    SELECT e.notification_id, e.hash INTO head, previous
        FROM eventlog.events e ORDER BY e.notification_id DESC LIMIT 1;
    head := coalesce(head, 0);
    previous := coalesce(previous, decode(repeat('00', 32), 'hex'));
    first_free := head + 1;

    SELECT coalesce(array_agg(ROW(i.ordinality, i.c, i.o, i.v, i.t, i.s, i.e, i.r, i.a, i.k, i.p, i.m)::eventlog.incoming
                              ORDER BY i.ordinality), '{}')
        INTO incoming
        FROM ROWS FROM (json_to_recordset(events) AS (c int, o uuid, v bigint, t text, s text, e uuid, r bigint, a text,
                                                      k uuid, p uuid, m uuid)) WITH ORDINALITY i;

    -- A command conflicts when a stream is not where the command believes it to be, or when an earlier command of the
    -- same batch touches the stream.
    SELECT coalesce(array_agg(DISTINCT f.c), '{}') INTO refused
    FROM (SELECT i.c, i.o, i.v, row_number() OVER stream AS nth, first_value(i.v) OVER stream AS first_v,
                 first_value(i.c) OVER stream AS first_c
          FROM unnest(incoming) i WINDOW stream AS (PARTITION BY i.o ORDER BY i.n)) f
    LEFT JOIN LATERAL (SELECT e.originator_version AS version FROM eventlog.events e
                       WHERE f.nth = 1 AND e.originator_id = f.o ORDER BY e.originator_version DESC LIMIT 1) h ON true
    WHERE f.c <> f.first_c OR f.v <> f.first_v + f.nth - 1
       OR f.nth = 1 AND CASE WHEN h.version IS NULL THEN f.v > 1 ELSE f.v <> h.version + 1 END;

    IF cardinality(refused) > 0 THEN
        FOR command, first_position, last_position IN
            SELECT i.c, min(e.notification_id), max(e.notification_id)
            FROM unnest(incoming) i
            LEFT JOIN eventlog.events e
                ON e.event_id = i.e AND e.originator_id = i.o AND e.originator_version = i.v
            WHERE i.c = ANY (refused) GROUP BY i.c HAVING count(e.event_id) = count(*)
        LOOP
            outcome := 'stored';
            answered := answered || command;
            RETURN NEXT;
        END LOOP;
    END IF;

    IF json_array_length(keys) > 0 THEN
        -- Two commands of one batch with one key: the second is refused now and finds the first when it comes again.
        FOR command, outcome, first_position, last_position, answer IN
            SELECT k.c, CASE WHEN s.key IS NULL THEN 'conflict'
                             WHEN s.fingerprint = decode(k.fingerprint, 'hex') THEN 'replayed' ELSE 'reused' END,
                   s.first_position, s.last_position, s.answer
            FROM (SELECT j.*, row_number() OVER (PARTITION BY j.scope, j.key ORDER BY j.c) AS turn
                  FROM json_to_recordset(keys) AS j(c int, scope text, key text, fingerprint text)
                  WHERE j.c <> ALL (answered)) k
            LEFT JOIN eventlog.idempotency_keys s ON s.scope = k.scope AND s.key = k.key
            WHERE s.key IS NOT NULL OR k.turn > 1
        LOOP
            answered := answered || command;
            RETURN NEXT;
        END LOOP;
        refused := refused || answered;
    END IF;

    IF cardinality(refused) > 0 THEN
        SELECT coalesce(array_agg(i ORDER BY i.n), '{}') INTO incoming FROM unnest(incoming) i WHERE i.c <> ALL (refused);
    END IF;
    FOREACH row IN ARRAY incoming LOOP
        head := head + 1;
        previous := sha256(previous || convert_to(
            concat_ws(E'\n', head, row.o, row.v, row.t, row.e, row.r, row.a, row.k, coalesce(row.p::text, ''), row.m, row.s),
            'UTF8'));
        hashes := array_append(hashes, previous);
        firsts[row.c] := coalesce(firsts[row.c], head);
        lasts[row.c] := head;
    END LOOP;

    INSERT INTO eventlog.events
        SELECT first_free + i.ordinality - 1, i.o, i.v, i.t, i.s, i.e,
               'epoch'::timestamptz + i.r * interval '1 microsecond',
               i.a, i.k, i.p, i.m, hashes[i.ordinality]
        FROM unnest(incoming) WITH ORDINALITY i(n, c, o, v, t, s, e, r, a, k, p, m, ordinality);

    IF json_array_length(keys) > 0 THEN
        INSERT INTO eventlog.idempotency_keys (scope, key, fingerprint, answer, first_position, last_position)
            SELECT j.scope, j.key, decode(j.fingerprint, 'hex'), j.answer, coalesce(firsts[j.c], head),
                   coalesce(lasts[j.c], head)
            FROM json_to_recordset(keys) AS j(c int, scope text, key text, fingerprint text, answer text)
            WHERE j.c <> ALL (refused);
    END IF;

    IF head >= first_free THEN
        PERFORM pg_notify('eventlog', head::text);
    END IF;

    answer := NULL;
    FOR number IN 0 .. commands - 1 LOOP
        CONTINUE WHEN number = ANY (answered);
        command := number;
        outcome := CASE WHEN number = ANY (refused) THEN 'conflict' ELSE 'stored' END;
        first_position := coalesce(firsts[number], head);
        last_position := coalesce(lasts[number], head);
        RETURN NEXT;
    END LOOP;
END;
$body$;

GRANT USAGE ON SCHEMA eventlog TO hivesync_app;
GRANT SELECT, INSERT ON eventlog.events TO hivesync_app;
GRANT SELECT, INSERT, DELETE ON eventlog.idempotency_keys TO hivesync_app;
