"""A log's files in a bucket of S3-compatible storage: the extra `s3`.

The only file that imports obstore (docs/adr/0015-static-export.md).  Credentials come
from the usual variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...), which obstore
reads itself: no secret passes through here, and none is in a message.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from byline_ledger.errors import BylineError, MalformedError, NotFoundError, UsageError
from byline_ledger.log_files import is_immutable, media_type
from byline_node.errors import NodeUnavailableError
from byline_node.http_log import ASK_AGAIN, FOR_EVER

if TYPE_CHECKING:
    from obstore.store import S3Store

ATTEMPTS = 3
PATIENCE = timedelta(seconds=60)
"""For one file with all attempts."""
TIMEOUT = timedelta(seconds=30)
CONNECT_TIMEOUT = timedelta(seconds=5)
MAX_REASON = 200

_FORM = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])"
    r"(?P<prefix>(?:/[A-Za-z0-9._~!$'()+,=@-]+)*)/?",
    re.ASCII,
)


_ENDPOINT = re.compile(
    r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[\w.~/-]*)?",
    re.ASCII,
)
_REGION = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)


class S3Files:
    """The objects under `s3://bucket/prefix`, by their path below the prefix."""

    def __init__(self, place: str, *, endpoint: str = "", region: str = "") -> None:
        """Connects to nothing yet.  UsageError for another form, or without obstore."""
        match = _FORM.fullmatch(place)
        if match is None or "/." in match["prefix"]:
            raise UsageError(
                f"expected s3://BUCKET/PREFIX, got {place[:100]!r}",
                hint="a bucket is 3 to 63 of a-z, 0-9, dot and hyphen; in the prefix no"
                " part is empty, begins with a dot or has blanks",
            )
        endpoint = endpoint or endpoint_of(os.environ)
        check_options(endpoint, region)
        self.name = f"s3://{match['bucket']}{match['prefix']}"
        self._engine = engine()
        self._missing = (FileNotFoundError, self._engine.exceptions.NotFoundError)
        self._store = self._open(match["bucket"], match["prefix"][1:], endpoint, region)

    def _open(self, bucket: str, prefix: str, endpoint: str, region: str) -> S3Store:
        from obstore.store import S3Store

        config: dict[str, Any] = {
            "client_options": {
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": CONNECT_TIMEOUT,
                "timeout": TIMEOUT,
            },
            "retry_config": {"max_retries": ATTEMPTS, "retry_timeout": PATIENCE},
        }
        if prefix:
            config["prefix"] = prefix
        if endpoint:
            config["endpoint"] = endpoint
        if region:
            config["region"] = region
        try:
            return S3Store(bucket, **config)
        except self._engine.exceptions.BaseError as error:
            raise UsageError(f"{self.name}: {reason(error)}") from None

    def get(self, path: str, limit: int) -> bytes:
        """See log_source.Files.get."""
        try:
            found = self._engine.get(self._store, path)
            if found.meta["size"] > limit:
                raise MalformedError(f"{path}: expected at most {limit} bytes")
            return bytes(found.bytes())
        except self._missing:
            raise NotFoundError(f"{self.name} has no {path}") from None
        except self._engine.exceptions.BaseError as error:
            raise self._trouble(error) from None

    def put(self, path: str, data: bytes) -> None:
        """Writes or replaces an object, with the headers it shall be served with."""
        keep = FOR_EVER if is_immutable(path) else ASK_AGAIN
        attributes = {"Content-Type": media_type(path), "Cache-Control": keep}
        try:
            self._engine.put(self._store, path, data, attributes=attributes)
        except (*self._missing, self._engine.exceptions.BaseError) as error:
            raise self._trouble(error) from None  # there is no such bucket

    def delete(self, path: str) -> None:
        """Removes an object, if it is there."""
        try:
            self._engine.delete(self._store, path)
        except self._missing:
            pass
        except self._engine.exceptions.BaseError as error:
            raise self._trouble(error) from None

    def settle(self) -> None:
        """Nothing to do: what was put is there."""

    def close(self) -> None:
        """Nothing to do."""

    def _trouble(self, error: Exception) -> BylineError:
        problems = self._engine.exceptions
        refused = (problems.PermissionDeniedError, problems.UnauthenticatedError)
        said = "access is denied" if isinstance(error, refused) else reason(error)
        return NodeUnavailableError(
            f"{self.name}: {said}",
            hint="check --endpoint, --region, the bucket and the AWS_ variables",
        )


def endpoint_of(environ: Mapping[str, str]) -> str:
    """What the variables of AWS programs name; obstore reads them, too, but takes http
    only from here."""
    return environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL", "")


def check_options(endpoint: str, region: str) -> None:
    """UsageError for what can be neither: obstore panics over some of it."""
    if endpoint and not is_endpoint(endpoint):
        expected = "expected an endpoint like http://127.0.0.1:8333"
        raise UsageError(f"{expected}, got {endpoint[:100]!r}")
    if region and not _REGION.fullmatch(region):
        raise UsageError(f"expected the name of a region, got {region[:100]!r}")


def is_endpoint(text: str) -> bool:
    """Whether the text is an http or https URL of a host, port and path."""
    try:
        port = urlsplit(text).port  # raises for a port or address out of range
    except ValueError:
        return False
    return port != 0 and _ENDPOINT.fullmatch(text) is not None


def engine() -> Any:
    """obstore, or UsageError that says how to install it."""
    try:
        import obstore
    except ModuleNotFoundError:
        raise UsageError(
            "S3 needs an extra that is not installed",
            hint='install it with: pip install "byline-ledger[s3]"',
        ) from None
    return obstore


def reason(error: Exception) -> str:
    """The first line of an error of obstore: what follows it is for its authors."""
    line = str(error).strip().partition("\n")[0][:MAX_REASON]
    return "".join(c if c.isprintable() else " " for c in line) or type(error).__name__
