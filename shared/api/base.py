"""What every request and answer of the API has in common."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

_NOT_ON_ONE_LINE: Final = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"

ONE_LINE: Final = rf"^[^{_NOT_ON_ONE_LINE}]*[^\s{_NOT_ON_ONE_LINE}][^{_NOT_ON_ONE_LINE}]*$"
"""Text on one line that is not blank."""

NO_NUL: Final = r"^[^\u0000]*$"
"""Text that the database can hold."""

NOT_BLANK: Final = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
"""Text of any number of lines that is not blank."""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client sends; a field that is not known is refused, because it was meant to do something."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the server says; fields may be added to it."""


class Nothing(Request, frozen=True, kw_only=True):
    """A command that needs no more than its address: an empty body or an empty object."""


class Changed(Answer, frozen=True, kw_only=True):
    """A command was carried out, or there was nothing to do."""

    id: Annotated[UUID, Meta(description="The project or task.")]
    version: Annotated[int, Meta(ge=1, description="Its version now; also the `ETag`.")]
    position: Annotated[
        int, Meta(ge=0, description="Read with `HiveSync-Min-Position` of this to see your own change.")
    ]
