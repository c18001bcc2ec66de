"""Why a project refuses a command."""

from __future__ import annotations

from hivesync_core.kernel.refusal import Conflict, Forbidden, NotFound


class ProjectNotFound(NotFound):
    """No project has this id."""

    code = "project.not_found"
    title = "There is no such project"


class ProjectExists(Conflict):
    """The id is taken."""

    code = "project.exists"
    title = "The project exists already"


class NotAnOwner(Forbidden):
    """Only owners edit a project, manage its members and set its policy."""

    code = "project.not_an_owner"
    title = "Only an owner of the project may do that"


class AlreadyAMember(Conflict):
    """The account is a member with another role; the facts name it."""

    code = "project.already_a_member"
    title = "The account is a member already"


class MemberNotFound(NotFound):
    """The account is no member of this project."""

    code = "project.member_not_found"
    title = "The account is no member of the project"


class LastOwner(Conflict):
    """A project without an owner could not be managed by anyone."""

    code = "project.last_owner"
    title = "The last owner can neither leave nor take another role"


class TooManyMembers(Conflict):
    """The project is full; the facts name the limit."""

    code = "project.too_many_members"
    title = "The project has as many members as it can have"
