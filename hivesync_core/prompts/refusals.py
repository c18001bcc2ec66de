"""Why the prompts refuse a command."""

from __future__ import annotations

from hivesync_core.kernel.refusal import Conflict, Invalid, NotFound


class PromptVersionUnknown(NotFound):
    """No version has this number; the facts name it."""

    code = "prompt.version_unknown"
    title = "There is no such version of the prompt"


class TemplateRefused(Invalid):
    """The template cannot be used; the detail says why, and what a template may hold."""

    code = "prompt.template_refused"
    title = "The template cannot be used"


class LabelRefused(Invalid):
    """A label is lower case letters, digits and hyphens, such as ``production`` or ``draft``."""

    code = "prompt.label_refused"
    title = "This cannot be a label"


class TooManyVersions(Conflict):
    """There are as many versions as there can be; the facts name the limit."""

    code = "prompt.too_many_versions"
    title = "The prompt has as many versions as it can have"
