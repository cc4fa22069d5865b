"""JSON, and nothing that only looks like it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from django.http import QueryDict
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from rowferry.exports.errors import InvalidRequest


class StrictJSONParser(BaseParser):
    """RFC 8259 in UTF-8. ParseError (400) for anything else: NaN, a name given twice, endless digits, too deep."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        # Django's `body`, not the stream: it is what refuses more than DATA_UPLOAD_MAX_MEMORY_SIZE before reading it.
        body = parser_context["request"].body if parser_context else stream.read()
        try:
            return json.loads(
                body.decode("utf-8-sig"), parse_constant=_refuse_constant, object_pairs_hook=_reject_duplicate_names
            )
        except RecursionError:
            raise ParseError("The body is not taken: it is nested too deep.") from None
        except UnicodeDecodeError:
            raise ParseError("The body is no JSON: it is not UTF-8.") from None
        except ValueError as error:
            raise ParseError(f"The body is no JSON: {error}"[:300]) from None


class LengthRequiredError(APIException):
    """A body without Content-Length, which would be taken for an empty one."""

    status_code = 411
    default_code = "length_required"
    default_detail = "Send the body with a Content-Length."


def body(request: Request) -> Any:
    """The body as plain JSON; {} where there is none. LengthRequiredError, ParseError; RequestDataTooBig (413)."""
    if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
        raise LengthRequiredError
    return request.data


def query(parameters: QueryDict) -> dict[str, str]:
    """Query parameters as plain text by name. InvalidRequest: one is given twice."""
    duplicates = [name for name, values in parameters.lists() if len(values) > 1]
    if duplicates:
        errors_by_name = {name[:60]: ["Give this parameter once."] for name in duplicates}
        raise InvalidRequest("A query parameter is given more than once.", errors=errors_by_name)
    return {name: value for name, value in parameters.items() if isinstance(value, str)}


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON.")


def _reject_duplicate_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice in one object.")
    return members
