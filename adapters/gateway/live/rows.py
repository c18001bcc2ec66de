"""What the processes share of live sessions in the database: who may come back, where they are, since when not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from adapters.postgres.connections import Database
from hivesync_core.live.commands import AWAY_MAX


class Place(NamedTuple):
    """Where a session's host is attached, and the epoch in which it shows its files; ``node`` is none while it is away."""

    epoch: int
    node: UUID | None
    wire_key: bytes
    host_seen_at: datetime


class ViewerRow(NamedTuple):
    """A viewer as it joined. ``guest_name`` is none for an account, ``node`` while the viewer is away."""

    viewer_id: UUID
    session_id: UUID
    account_id: UUID | None
    guest_name: str | None
    joined_at: datetime
    node: UUID | None


class InviteRow(NamedTuple):
    """An invite, found by its token."""

    invite_id: UUID
    session_id: UUID


class Clocked(NamedTuple):
    """A session that runs, when its host was last seen, and when somebody last watched (none: nobody ever did)."""

    session_id: UUID
    started_at: datetime
    host_seen_at: datetime
    watched_at: datetime | None


EXPIRED_KNOWN_FOR = timedelta(days=1)

_VIEWER_COLUMNS = "viewer_id, session_id, account_id, guest_name, joined_at, node"

_ATTACH_HOST = """
    UPDATE live.sessions SET host_node = %s, host_seen_at = %s,
        epoch = epoch + CASE WHEN epoch = %s THEN 0 ELSE 1 END
    WHERE session_id = %s AND ended_at IS NULL RETURNING epoch, host_node, wire_key, host_seen_at"""

_SEEN = "GREATEST({0}.seen_at, (SELECT n.seen_at FROM live.nodes n WHERE n.node_id = {0}.node))"

_CLOCKS = f"""
    SELECT s.session_id, s.started_at,
        GREATEST(s.host_seen_at, (SELECT n.seen_at FROM live.nodes n WHERE n.node_id = s.host_node)),
        (SELECT max({_SEEN.format("v")}) FROM live.viewers v WHERE v.session_id = s.session_id)
    FROM live.sessions s WHERE s.ended_at IS NULL"""

_LOST = f"""
    SELECT v.session_id, v.viewer_id FROM live.viewers v
    WHERE v.gone_at IS NULL AND v.seen_at <= %s AND {_SEEN.format("v")} <= %s LIMIT %s"""


class LiveRows:
    """The rows; every method raises ``StoreUnavailable``. Times are the caller's, so that a test can set them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- sessions --------------------------------------------------------------------------------------------------

    async def add_session(
        self, session_id: UUID, project_id: UUID, host_id: UUID, wire_key: bytes, at: datetime
    ) -> None:
        """A session was started; nothing happens where it is known."""
        await self._database.execute(
            "INSERT INTO live.sessions (session_id, project_id, host_id, wire_key, started_at, host_seen_at) "
            "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (session_id, project_id, host_id, wire_key, at, at),
        )

    async def place(self, session_id: UUID) -> Place | None:
        """Where the host is; none where the session has ended."""
        row = await self._database.fetch_one(
            "SELECT epoch, host_node, wire_key, host_seen_at FROM live.sessions "
            "WHERE session_id = %s AND ended_at IS NULL",
            (session_id,),
        )
        return None if row is None else Place(row[0], row[1], bytes(row[2]), row[3])

    async def attach_host(self, session_id: UUID, node: UUID, held_epoch: int, at: datetime) -> Place | None:
        """The host is here: in the epoch that this process holds, where that is the last, else in a new one."""
        row = await self._database.fetch_one(_ATTACH_HOST, (node, at, held_epoch, session_id))
        return None if row is None else Place(row[0], row[1], bytes(row[2]), row[3])

    async def detach_host(self, session_id: UUID, node: UUID, at: datetime) -> None:
        """The host's socket is gone, unless it is on another process by now."""
        await self._database.execute(
            "UPDATE live.sessions SET host_node = NULL, host_seen_at = %s WHERE session_id = %s AND host_node = %s",
            (at, session_id, node),
        )

    async def places(self, session_ids: Sequence[UUID]) -> dict[UUID, Place]:
        """Where the hosts of sessions are; those that have ended are left out."""
        rows = await self._database.fetch_all(
            "SELECT session_id, epoch, host_node, wire_key, host_seen_at FROM live.sessions "
            "WHERE session_id = ANY(%s) AND ended_at IS NULL",
            (list(session_ids),),
        )
        return {row[0]: Place(row[1], row[2], bytes(row[3]), row[4]) for row in rows}

    async def end_session(self, session_id: UUID, at: datetime) -> None:
        """Nobody may come back to it."""
        await self._database.execute(
            "WITH ended AS (UPDATE live.sessions SET ended_at = %s, host_node = NULL "
            "WHERE session_id = %s AND ended_at IS NULL) "
            "UPDATE live.viewers SET gone_at = %s, node = NULL WHERE session_id = %s AND gone_at IS NULL",
            (at, session_id, at, session_id),
        )

    # --- invites ---------------------------------------------------------------------------------------------------

    async def add_invite(self, token_hash: bytes, invite: InviteRow, expires_at: datetime) -> None:
        """Keep the hash of an invite's token."""
        await self._database.execute(
            "INSERT INTO live.invites (token_hash, invite_id, session_id, expires_at) VALUES (%s, %s, %s, %s)",
            (token_hash, invite.invite_id, invite.session_id, expires_at),
        )

    async def invite(self, token_hash: bytes) -> InviteRow | None:
        """The invite of a token."""
        row = await self._database.fetch_one(
            "SELECT invite_id, session_id FROM live.invites WHERE token_hash = %s", (token_hash,)
        )
        return None if row is None else InviteRow(*row)

    async def delete_expired_invites(self, at: datetime) -> None:
        """Forget the hashes of invites that expired a while ago: until then whoever shows one is told why it is of no use."""
        await self._database.execute("DELETE FROM live.invites WHERE expires_at < %s", (at - EXPIRED_KNOWN_FOR,))

    # --- viewers ---------------------------------------------------------------------------------------------------

    async def add_viewer(self, viewer: ViewerRow, token_hash: bytes) -> None:
        """Somebody has joined."""
        await self._database.execute(
            "INSERT INTO live.viewers (viewer_id, session_id, account_id, guest_name, joined_at, node, token_hash, seen_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (*viewer, token_hash, viewer.joined_at),
        )

    async def viewer_of(self, token_hash: bytes, at: datetime) -> tuple[ViewerRow, bool] | None:
        """The viewer that a token belongs to, and whether it may still come back."""
        row = await self._database.fetch_one(
            f"SELECT {_VIEWER_COLUMNS}, gone_at IS NULL AND {_SEEN.format('v')} > %s "
            "FROM live.viewers v WHERE token_hash = %s",
            (at - AWAY_MAX, token_hash),
        )
        return None if row is None else (ViewerRow(*row[:-1]), row[-1])

    async def viewers(self, session_id: UUID) -> list[ViewerRow]:
        """Those who have joined and not gone, in order."""
        rows = await self._database.fetch_all(
            f"SELECT {_VIEWER_COLUMNS} FROM live.viewers "
            "WHERE session_id = %s AND gone_at IS NULL ORDER BY joined_at, viewer_id",
            (session_id,),
        )
        return [ViewerRow(*row) for row in rows]

    async def attach_viewer(self, viewer_id: UUID, node: UUID, at: datetime) -> None:
        """The viewer's socket is here."""
        await self._database.execute(
            "UPDATE live.viewers SET node = %s, seen_at = %s WHERE viewer_id = %s AND gone_at IS NULL",
            (node, at, viewer_id),
        )

    async def detach_viewers(self, viewer_ids: Sequence[UUID], node: UUID, at: datetime) -> None:
        """The viewers' sockets are gone, unless they are on another process by now."""
        await self._database.execute(
            "UPDATE live.viewers SET node = NULL, seen_at = %s WHERE viewer_id = ANY(%s) AND node = %s",
            (at, list(viewer_ids), node),
        )

    async def end_viewers(self, viewer_ids: Iterable[UUID], at: datetime) -> None:
        """They left, or were removed: their tokens are good no more."""
        await self._database.execute(
            "UPDATE live.viewers SET gone_at = %s, node = NULL WHERE viewer_id = ANY(%s) AND gone_at IS NULL",
            (at, list(viewer_ids)),
        )

    # --- clocks ----------------------------------------------------------------------------------------------------

    async def beat(self, node: UUID, at: datetime) -> None:
        """This process is alive, and so is what is attached to it."""
        await self._database.execute(
            "INSERT INTO live.nodes (node_id, seen_at) VALUES (%s, %s) "
            "ON CONFLICT (node_id) DO UPDATE SET seen_at = GREATEST(excluded.seen_at, nodes.seen_at)",
            (node, at),
        )

    async def running(self) -> list[Clocked]:
        """Every session that runs, with what its clocks go by."""
        return [Clocked(*row) for row in await self._database.fetch_all(_CLOCKS)]

    async def lost_viewers(self, at: datetime, limit: int) -> list[tuple[UUID, UUID]]:
        """Session and viewer of those who have been away for too long."""
        before = at - AWAY_MAX
        return [(row[0], row[1]) for row in await self._database.fetch_all(_LOST, (before, before, limit))]
