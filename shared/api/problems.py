"""Errors as the API tells them: RFC 9457 problem details, with the facts that a client can act on."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

PROBLEM_MEDIA_TYPE = "application/problem+json"

PROBLEM_TYPES_PATH = "/problems/"
"""A problem's ``type`` is this path and its code; the server explains it there."""


class FieldProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one part of a request."""

    source: Annotated[str, Meta(description="Where the part is: body, query, path, header or cookie.")]
    field: Annotated[str, Meta(description="The part's name; in a body the path to it, such as `labels[2]`.")]
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was not carried out, and why. More members may stand beside these, by type."""

    type: Annotated[str, Meta(description="A stable reference: compare it, or open it for an explanation.")]
    title: Annotated[str, Meta(description="The same for every problem of this type.")]
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: Annotated[str, Meta(description="What is wrong in this case.")]
    instance: Annotated[str, Meta(description="The path that was asked.")]
    correlation_id: Annotated[str, Meta(description="Leads to this request in the server's log.")]
    errors: list[FieldProblem] | UnsetType = UNSET
    allowed: Annotated[list[str], Meta(description="The transitions that are allowed now.")] | UnsetType = UNSET
