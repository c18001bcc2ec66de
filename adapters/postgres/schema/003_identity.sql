-- Who people are and what proves it: the only place with names, e-mail addresses and secrets. Rows here are deleted
-- when a person is erased; the log knows accounts by their ids alone.

CREATE SCHEMA identity;

-- is_admin and disabled repeat what the account's stream says at settled_version, so that a token is verified with one
-- query. They are written from the stream after each command; unsettled_since is set before the command and cleared
-- afterwards, so that what a process left undone when it died is done by whoever comes next.
CREATE TABLE identity.accounts (
    account_id      uuid        PRIMARY KEY,
    email           text        NOT NULL,
    email_key       text        NOT NULL,
    name            text        NOT NULL,
    password_hash   text,
    is_admin        boolean     NOT NULL DEFAULT false,
    disabled        boolean     NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL,
    settled_version bigint      NOT NULL DEFAULT 0,
    unsettled_since timestamptz,
    made_by         text
);
CREATE UNIQUE INDEX accounts_by_email ON identity.accounts (email_key);
CREATE INDEX accounts_unsettled ON identity.accounts (unsettled_since) WHERE unsettled_since IS NOT NULL;
COMMENT ON COLUMN identity.accounts.made_by IS 'The idempotency key of the request that made the account.';
COMMENT ON COLUMN identity.accounts.email_key IS 'The address as it is compared: NFKC, case folded.';

-- A session is what one sign-in began: a family of refresh tokens, of which the newest works, and its access tokens.
-- Ending a session is deleting its row.
CREATE TABLE identity.sessions (
    session_id   uuid        PRIMARY KEY,
    account_id   uuid        NOT NULL REFERENCES identity.accounts ON DELETE CASCADE,
    client_id    text        NOT NULL,
    scopes       text[]      NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX sessions_by_account ON identity.sessions (account_id);
CREATE INDEX sessions_by_expiry ON identity.sessions (expires_at);

CREATE TABLE identity.refresh_tokens (
    token_hash bytea       PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid        NOT NULL REFERENCES identity.sessions ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX refresh_tokens_by_session ON identity.refresh_tokens (session_id);

CREATE TABLE identity.access_tokens (
    token_hash bytea       PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid        NOT NULL REFERENCES identity.sessions ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX access_tokens_by_session ON identity.access_tokens (session_id);
CREATE INDEX access_tokens_by_expiry ON identity.access_tokens (expires_at);

CREATE TABLE identity.personal_tokens (
    token_id     uuid        PRIMARY KEY,
    token_hash   bytea       NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    account_id   uuid        NOT NULL REFERENCES identity.accounts ON DELETE CASCADE,
    name         text        NOT NULL,
    scopes       text[]      NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz
);
CREATE INDEX personal_tokens_by_account ON identity.personal_tokens (account_id);

-- A ticket opens one socket: it stands for the token that it was asked with, for seconds, once.
CREATE TABLE identity.socket_tickets (
    ticket_hash bytea       PRIMARY KEY CHECK (octet_length(ticket_hash) = 32),
    token_hash  bytea       NOT NULL,
    account_id  uuid        NOT NULL REFERENCES identity.accounts ON DELETE CASCADE,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX socket_tickets_by_expiry ON identity.socket_tickets (expires_at);

-- The rules of invitations lie in their streams; here are the secret and the address, which may not.
CREATE TABLE identity.invitations (
    invitation_id uuid        PRIMARY KEY,
    token_hash    bytea       NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    email         text,
    invited_by    uuid        NOT NULL,
    project_id    uuid,
    role          text,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX invitations_by_inviter ON identity.invitations (invited_by);
CREATE INDEX invitations_by_expiry ON identity.invitations (expires_at);

CREATE TABLE identity.oauth_clients (
    client_id     text        PRIMARY KEY,
    name          text        NOT NULL,
    redirect_uris text[]      NOT NULL,
    scopes        text[]      NOT NULL,
    built_in      boolean     NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN identity.oauth_clients.redirect_uris IS
    'Exact; one that begins with / is relative to the public address, one on a loopback address matches any port.';

CREATE TABLE identity.authorization_codes (
    code_hash      bytea       PRIMARY KEY CHECK (octet_length(code_hash) = 32),
    client_id      text        NOT NULL REFERENCES identity.oauth_clients ON DELETE CASCADE,
    account_id     uuid        NOT NULL REFERENCES identity.accounts ON DELETE CASCADE,
    redirect_uri   text        NOT NULL,
    code_challenge text        NOT NULL,
    scopes         text[]      NOT NULL,
    expires_at     timestamptz NOT NULL,
    used_at        timestamptz,
    session_id     uuid
);
CREATE INDEX authorization_codes_by_expiry ON identity.authorization_codes (expires_at);

CREATE TABLE identity.device_codes (
    device_hash    bytea       PRIMARY KEY CHECK (octet_length(device_hash) = 32),
    user_code      text        NOT NULL UNIQUE,
    client_id      text        NOT NULL REFERENCES identity.oauth_clients ON DELETE CASCADE,
    scopes         text[]      NOT NULL,
    interval_s     integer     NOT NULL,
    last_polled_at timestamptz,
    status         text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'denied')),
    account_id     uuid        REFERENCES identity.accounts ON DELETE CASCADE,
    expires_at     timestamptz NOT NULL
);
CREATE INDEX device_codes_by_expiry ON identity.device_codes (expires_at);

-- Somebody signed in on HiveSync's own pages; never good for the API.
CREATE TABLE identity.browser_sessions (
    cookie_hash bytea       PRIMARY KEY CHECK (octet_length(cookie_hash) = 32),
    account_id  uuid        NOT NULL REFERENCES identity.accounts ON DELETE CASCADE,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX browser_sessions_by_account ON identity.browser_sessions (account_id);
CREATE INDEX browser_sessions_by_expiry ON identity.browser_sessions (expires_at);

CREATE TABLE identity.set_up_link (
    only_one   boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    token_hash bytea       NOT NULL CHECK (octet_length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Tells every node what ceased to be good, whoever deleted or changed the row; payloads are token:<id>, account:<id>.
CREATE FUNCTION identity.notify_revoked() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_TABLE_NAME = 'sessions' THEN
        PERFORM pg_notify('identity', 'token:' || OLD.session_id);
    ELSIF TG_TABLE_NAME = 'personal_tokens' THEN
        PERFORM pg_notify('identity', 'token:' || OLD.token_id);
    ELSE
        PERFORM pg_notify('identity', 'account:' || OLD.account_id);
    END IF;
    RETURN NULL;
END;
$body$;
CREATE TRIGGER revoked AFTER DELETE OR UPDATE OF scopes, expires_at, account_id ON identity.sessions
    FOR EACH ROW EXECUTE FUNCTION identity.notify_revoked();
CREATE TRIGGER revoked AFTER DELETE OR UPDATE OF scopes, expires_at, account_id, token_hash ON identity.personal_tokens
    FOR EACH ROW EXECUTE FUNCTION identity.notify_revoked();
CREATE TRIGGER revoked_deleted AFTER DELETE ON identity.accounts
    FOR EACH ROW EXECUTE FUNCTION identity.notify_revoked();
CREATE TRIGGER revoked_changed AFTER UPDATE OF is_admin, disabled ON identity.accounts
    FOR EACH ROW WHEN (OLD.is_admin IS DISTINCT FROM NEW.is_admin OR OLD.disabled IS DISTINCT FROM NEW.disabled)
    EXECUTE FUNCTION identity.notify_revoked();

INSERT INTO identity.oauth_clients (client_id, name, redirect_uris, scopes, built_in) VALUES
    ('hivesync-web', 'HiveSync in the browser', '{/callback,/admin/callback,/live/callback}', '{read,write,live,admin}', true),
    ('hivesync-cli', 'HiveSync command line',
     '{http://127.0.0.1/callback,"http://[::1]/callback"}', '{read,write,live,admin}', true),
    ('hivesync-vscode', 'HiveSync for VS Code',
     '{vscode://hivesync.hivesync/callback,vscode-insiders://hivesync.hivesync/callback,http://127.0.0.1/callback,"http://[::1]/callback"}',
     '{read,write,live}', true),
    ('hivesync-desktop', 'HiveSync desktop',
     '{hivesync://oauth/callback,http://127.0.0.1/callback,"http://[::1]/callback"}', '{read,write,live}', true),
    ('hivesync-mobile', 'HiveSync mobile',
     '{net.hivesync.mobile:/callback,hivesync://oauth/callback}', '{read,write,live}', true);

GRANT USAGE ON SCHEMA identity TO hivesync_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA identity TO hivesync_app;
