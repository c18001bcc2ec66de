"""Which projects a caller reaches (R5): by membership alone, and what is out of reach looks as if it did not exist."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from adapters.http.services import Services
from adapters.identity.caller import Caller
from hivesync_core.eventstore.log import Loaded
from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.roles import Role
from hivesync_core.projects.decider import Project, project
from hivesync_core.projects.refusals import ProjectNotFound
from hivesync_core.tasks.decider import task
from hivesync_core.tasks.refusals import TaskNotFound
from hivesync_core.tasks.state import Task


class Membership(NamedTuple):
    """A project that the caller reaches, and as what; the role is none for an admin who is no member."""

    project: Project
    role: Role | None
    version: int


class TaskMembership(NamedTuple):
    """A task in a project that the caller is a member of."""

    task: Task
    version: int
    project: Project
    role: Role


async def reach_project(services: Services, caller: Caller, project_id: UUID, *, as_admin: bool = False) -> Membership:
    """The project and the caller's role in it; raises ``ProjectNotFound`` for one that they may not know of.

    With ``as_admin`` an admin reaches every project: to manage it, not to read its tasks.
    """
    loaded = await _state(services, project, project_id)
    role = loaded.state.members.get(caller.account_id)
    if role is None and not loaded.fresh:
        # Perhaps another process has just let them in.
        loaded = await services.log.state(project, project_id, fresh=True)
        role = loaded.state.members.get(caller.account_id)
    if role is None and not (as_admin and caller.acts_as_admin and loaded.version):
        raise ProjectNotFound
    return Membership(loaded.state, role, loaded.version)


async def member_of(services: Services, caller: Caller, project_id: UUID) -> tuple[Project, Role]:
    """The project and the role of a member; raises ``ProjectNotFound`` for everybody else, admins too."""
    membership = await reach_project(services, caller, project_id)
    assert membership.role is not None, "only an admin reaches a project without a role"
    return membership.project, membership.role


async def reach_task(services: Services, caller: Caller, task_id: UUID) -> TaskMembership:
    """The task, and the caller's role in its project; raises ``TaskNotFound`` for one that they may not know of."""
    loaded = await _state(services, task, task_id)
    project_id = loaded.state.project_id
    if project_id is None:
        raise TaskNotFound
    try:
        reached, role = await member_of(services, caller, project_id)
    except ProjectNotFound:
        raise TaskNotFound from None
    return TaskMembership(loaded.state, loaded.version, reached, role)


async def _state(services: Services, decider: Decider, stream_id: UUID) -> Loaded:  # type: ignore[type-arg]
    """From memory while the log is in sight, so that nothing that another process did goes unnoticed for long."""
    return await services.log.state(decider, stream_id, fresh=not services.follower.in_sight)
