"""Why something about an account, an invitation or the admins' seats is not allowed."""

from __future__ import annotations

from hivesync_core.kernel.refusal import Conflict, Forbidden, Invalid, NotFound


class NotAnAdmin(Forbidden):
    """Only an admin may do this to another account."""

    code = "account.not_an_admin"
    title = "This needs an admin"


class NotYourAccount(Forbidden):
    """Only the account itself may do this."""

    code = "account.not_yours"
    title = "Only the account itself may do this"


class NoSuchAccount(NotFound):
    """There never was such an account."""

    code = "account.unknown"
    title = "There is no such account"


class AccountExists(Conflict):
    """The account was made before."""

    code = "account.exists"
    title = "The account exists already"


class EmailTaken(Conflict):
    """Another account has this e-mail address."""

    code = "account.email_taken"
    title = "Another account has this e-mail address"


class AccountIsDisabled(Conflict):
    """An admin locked the account out."""

    code = "account.disabled"
    title = "The account is disabled"


class AccountIsErased(Conflict):
    """The person behind the account was erased; nothing can be done with it any more."""

    code = "account.erased"
    title = "The account was erased"


class PasswordRefused(Invalid):
    """The new password would be guessed."""

    code = "account.password_refused"
    title = "The password cannot be used"


class WrongPassword(Forbidden):
    """The present password, asked for before a change, is another one."""

    code = "account.wrong_password"
    title = "The present password is another one"


class ScopeNotHeld(Forbidden):
    """A token cannot have a scope that its account, or the token that asks for it, does not have."""

    code = "account.scope_not_held"
    title = "The account does not have this scope to give"


class NoScope(Invalid):
    """A token without a scope could do nothing."""

    code = "account.no_scope"
    title = "A token needs a scope"


class ExpiryInThePast(Invalid):
    """Something that is about to be made would have expired already."""

    code = "account.expiry_in_the_past"
    title = "The expiry lies in the past"


class NoSuchToken(NotFound):
    """The account has no such personal access token."""

    code = "account.token_unknown"
    title = "There is no such token"


class LastAdmin(Conflict):
    """Without this admin nobody could administer the installation."""

    code = "account.last_admin"
    title = "The last admin has to stay"


class AdminExists(Conflict):
    """The set-up is over: there is an admin."""

    code = "account.admin_exists"
    title = "There is an admin already"


class NoSuchInvitation(NotFound):
    """There is no such invitation."""

    code = "invitation.unknown"
    title = "There is no such invitation"


class InvitationNotOpen(Conflict):
    """The invitation was used, was taken back, or has expired."""

    code = "invitation.not_open"
    title = "The invitation cannot be used any more"


class RoleWithoutProject(Invalid):
    """A role is a role in a project: an invitation names both or neither."""

    code = "invitation.role_without_project"
    title = "An invitation names a project and a role, or neither"


class MayNotInvite(Forbidden):
    """Into a project, only its owners and admins invite."""

    code = "invitation.may_not_invite"
    title = "Only an owner of the project or an admin may invite into it"
