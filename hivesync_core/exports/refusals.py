"""Why an export is refused."""

from __future__ import annotations

from hivesync_core.kernel.refusal import Conflict, Forbidden, Invalid, NotFound


class SelectionRefused(Invalid):
    """What was selected makes no sense; the facts name the ``field``."""

    code = "export.selection_refused"
    title = "The selection makes no sense"


class NotAnExporter(Forbidden):
    """Owners and auditors export their project; admins export everything."""

    code = "export.not_allowed"
    title = "Only an owner or an auditor of the project, or an admin, may export it"


class NotYourExport(Forbidden):
    """Who may cancel and remove an export: who asked for it, an owner of its project, an admin."""

    code = "export.not_yours"
    title = "This export is somebody else's"


class ExportNotFound(NotFound):
    """No export has this id, or none that the asker may know of."""

    code = "export.not_found"
    title = "There is no such export"


class ExportExists(Conflict):
    """The id is taken."""

    code = "export.exists"
    title = "The export exists already"


class ExportNotRunning(Conflict):
    """It has ended; the facts name the ``status``."""

    code = "export.not_running"
    title = "The export has ended already"


class ExportRunning(Conflict):
    """It is still being written: cancel it instead of removing it."""

    code = "export.running"
    title = "The export is still being written"


class TooManyExports(Conflict):
    """So many exports of this account are still to be written; the facts name the limit. Wait, or cancel one."""

    code = "export.too_many"
    title = "Too many exports of this account are still to be written"
