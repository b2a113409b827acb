"""Answers of the HTTP API in their few forms: JSON, text, bytes, errors."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from byline_ledger.errors import BylineError, RedactedError
from byline_ledger.tombstone import Tombstone
from byline_ledger.witness import TEXT_TYPE
from byline_node.errors import BusyError, RefusedError

JSON_TYPE = "application/json"
MSGPACK_TYPE = "application/vnd.msgpack"
BUNDLE_TYPE = "application/vnd.byline.bundle"


class MsgpackResponse(Response):
    media_type = MSGPACK_TYPE


class BundleResponse(Response):
    media_type = BUNDLE_TYPE


def json_response(value: object, status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # The same address answers in several types.
    return Response(text, status, media_type=JSON_TYPE, headers={"vary": "accept"})


def html_response(text: str) -> Response:
    """A page of ours, which needs and may fetch nothing."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    headers = {"content-security-policy": policy, "cache-control": "no-store"}
    return Response(text, media_type="text/html", headers=headers)


def text_response(status: int, body: bytes) -> Response:
    return Response(body, status, media_type=TEXT_TYPE)


def binary(data: bytes, media_type: str) -> Response:
    return Response(data, media_type=media_type, headers={"vary": "accept"})


def error_response(error: BylineError, status: int | None = None) -> Response:
    response = json_response(error_json(error), status or error.http_status)
    if isinstance(error, (BusyError, RefusedError)) and error.retry_after is not None:
        response.headers["retry-after"] = str(error.retry_after)
    return response


def error_json(error: BylineError) -> dict[str, Any]:
    said: dict[str, Any] = {
        "kind": error.kind,
        "message": str(error),
        "hint": error.hint,
    }
    return {"error": said | error.details()}


def tombstone_response(error: RedactedError, tombstone: Tombstone | None) -> Response:
    """Beside the error, why and when the body was taken down."""
    answer = error_json(error)
    if tombstone is not None:
        answer["tombstone"] = {"reason": tombstone.reason, "time": tombstone.time}
    return json_response(answer, error.http_status)
