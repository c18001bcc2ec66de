"""Forms and query strings, read strictly: UTF-8, a bounded number of fields, each of them once (RFC 6749, section 3.1)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from adapters.http.failures import BodyMalformed, MediaTypeUnknown
from adapters.http.request import ApiRequest

FIELDS_MAX = 30
FORM_BYTES_MAX = 32_768
QUERY_BYTES_MAX = 16_384
FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"


class FieldsRefused(Exception):
    """Fields that cannot be read, or that are there twice."""


def parse_fields(encoded: bytes, bytes_max: int) -> dict[str, str]:
    """The fields of a form or of a query. Raises ``FieldsRefused``."""
    if len(encoded) > bytes_max:
        raise FieldsRefused("The request is too long.")
    try:
        text = encoded.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except (UnicodeDecodeError, ValueError) as error:
        raise FieldsRefused(
            "The request cannot be read: it is not URL-encoded UTF-8, or has too many fields."
        ) from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise FieldsRefused("The request names a field twice.")
    return fields


async def form_of(request: ApiRequest) -> dict[str, str]:
    """The fields of the request's body. Raises ``MediaTypeUnknown``, ``FieldsRefused``."""
    media_type, _ = request.content_type
    if media_type != FORM_MEDIA_TYPE:
        raise MediaTypeUnknown(media_type or "of no type", wanted=FORM_MEDIA_TYPE)
    return parse_fields(await request.body(), FORM_BYTES_MAX)


async def form_of_page(request: ApiRequest) -> dict[str, str]:
    """The fields of one of our own pages' forms. Raises ``BodyMalformed``, ``MediaTypeUnknown``."""
    try:
        return await form_of(request)
    except FieldsRefused as error:
        raise BodyMalformed(str(error)) from error


def query_of(request: ApiRequest) -> dict[str, str]:
    """The fields of the request's query. Raises ``FieldsRefused``."""
    return parse_fields(request.scope["query_string"], QUERY_BYTES_MAX)
