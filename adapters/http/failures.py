"""Why a door turns a request away before any rule is asked."""

from __future__ import annotations

import re

from shared.api.problems import FieldProblem

_AT = re.compile(r"^(?P<message>.*?) - at `(?P<key>key in )?\$(?P<path>.*)`$", re.DOTALL)


class BodyMalformed(Exception):
    """The body is no JSON at all: not parseable, not UTF-8, too deep."""


class BodyInvalid(Exception):
    """The body is JSON of another shape than the one that is wanted; ``errors`` says where."""

    def __init__(self, message: str) -> None:
        found = _AT.match(message)
        text, path = (found["message"], found["path"].lstrip(".")) if found else (message, "")
        super().__init__(f"{path or 'The body'}: {text}.")
        self.errors = [FieldProblem(source="body", field=path, message=text)]


class BodyTooSlow(Exception):
    """The body did not come whole in time."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"The body was not whole within {wait_s:g} seconds.")


class Disconnected(Exception):
    """The client went away in the middle of its request; nobody reads the answer."""


class MediaTypeUnknown(Exception):
    """The body is of a media type that this route does not take."""

    def __init__(self, media_type: str, wanted: str = "application/json") -> None:
        super().__init__(f"The body is {media_type[:100]}; {wanted} is wanted.")


class HeaderInvalid(Exception):
    """A header does not have the form that it must have."""

    def __init__(self, header: str, message: str) -> None:
        super().__init__(f"{header}: {message}")
        self.errors = [FieldProblem(source="header", field=header, message=message)]


class QueryInvalid(Exception):
    """A query parameter does not have the form that it must have."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.errors = [FieldProblem(source="query", field=name, message=message)]


class PreconditionRequired(Exception):
    """A change that overwrites must name the version that it was made for (RFC 6585, section 3)."""

    def __init__(self) -> None:
        super().__init__('Send If-Match with the ETag of what you read, such as If-Match: "3".')


class PreconditionFailed(Exception):
    """``If-Match`` names a version that can never be the stream's."""

    def __init__(self) -> None:
        super().__init__("If-Match does not name the version that stands; read it again.")


class Starting(Exception):
    """The server listens and is not ready yet: it makes the schema or catches up."""

    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__("The server is starting; try again in a second.")


class NotYetVisible(Exception):
    """The read model did not reach the position that the reader asked for in time."""

    retry_after_s = 1

    def __init__(self, position: int, reached: int) -> None:
        super().__init__(f"The read model has reached position {reached}, not yet {position}; try again in a second.")


class RangeNotSatisfiable(Exception):
    """The file ends before the range that is asked for begins (RFC 9110, section 15.5.17)."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"The file has {size_bytes} bytes.")
        self.headers = {"content-range": f"bytes */{size_bytes}"}
