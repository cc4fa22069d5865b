"""How one answer leads to the next, as OpenAPI links: what to do with the export that an order was answered by."""

from __future__ import annotations

from typing import Any

BY_HEADER, BY_BODY, FIRST_LISTED = (
    "$response.header.X-Export-Id",
    "$response.body#/export_id",
    "$response.body#/data/0/export_id",
)
"""Where an answer holds the id of an export."""
OF_AN_EXPORT = (
    "show_export",
    "list_events",
    "show_manifest",
    "download_export",
    "cancel_export",
    "retry_export",
    "delete_export",
)
SOURCES = {
    ("order_export", "200"): BY_HEADER,
    ("order_export", "202"): BY_BODY,
    ("list_exports", "200"): FIRST_LISTED,
    ("retry_export", "202"): BY_BODY,
    ("cancel_export", "202"): BY_BODY,
    ("show_export", "200"): BY_BODY,
}
"""The answers that name an export."""


def add_links(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The description with its links: a hook of drf-spectacular, which has no other way to say them."""
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                expression = SOURCES.get((operation["operationId"], status))
                if expression:
                    response["links"] = {name: _link(name, expression) for name in OF_AN_EXPORT}
    return result


def _link(operation: str, expression: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": {"export_id": expression}}
