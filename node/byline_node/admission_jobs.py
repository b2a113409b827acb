"""What the operator's commands ask of admission, on a running node or on a stopped one.

Rule: a policy that cannot be read changes nothing: the node goes on with the one it has
and says so.  Only [admission] is read again; other settings count at the next start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from byline_ledger.admission import Refused, Source
from byline_ledger.errors import MalformedError
from byline_ledger.statement import Statement
from byline_node.admission import Admission
from byline_node.config import NodeConfig
from byline_node.control import Job, Progress, ask_node
from byline_node.errors import BusyError, ConfigError, NodeUnavailableError
from byline_node.home import Home

if TYPE_CHECKING:
    from byline_ledger.log import Ledger

log = structlog.get_logger("byline.admission")

Findings = list[dict[str, Any]]


def reload_policy(
    home: Path, admission: Admission, on_change: Callable[[], None]
) -> dict[str, Any]:
    """Goes by what node.toml says now.  Raises ConfigError; then all is as before."""
    try:
        policy = NodeConfig.load(home).admission
    except ConfigError as error:
        log.warning("the admission policy stays as it was", reason=str(error))
        raise ConfigError(
            f"the node goes on with the policy it has: {error}", hint=error.hint
        ) from None
    changed = admission.change(policy)
    if changed:
        log.info("another admission policy", policy=policy.digest.hex())
        tell_doubt(admission)
        on_change()
    return {"changed": changed, "policy": policy.digest.hex()}


def tell_doubt(admission: Admission) -> None:
    """A policy that its operator can hardly mean is one nevertheless."""
    doubt = admission.policy.doubt
    if doubt is not None:
        log.warning("a doubtful admission policy", reason=doubt)


def admission_jobs(
    admission: Admission, reload: Callable[[], Mapping[str, Any]]
) -> dict[str, Job]:
    """What the control socket offers of it; what is odd about it is told now."""
    tell_doubt(admission)

    def test(request: Mapping[str, Any], _progress: Progress) -> Mapping[str, Any]:
        return {"rules": _test(admission, request)}

    return {
        "policy-reload": lambda _request, _progress: reload(),
        "policy-state": lambda _request, _progress: admission.status(),
        "policy-test": test,
    }


def _test(admission: Admission, request: Mapping[str, Any]) -> Findings:
    envelope, peer = request.get("statement"), request.get("peer", "")
    if not isinstance(envelope, bytes) or not isinstance(peer, str):
        raise MalformedError("expected a statement and a peer")
    try:
        source = Source(str(request.get("source")))
    except ValueError:
        known = ", ".join(Source)
        raise MalformedError(f"source: expected one of {known}") from None
    statement = Statement.from_envelope(envelope)
    found = admission.explain(statement, source, peer)
    return [_finding(name, refused) for name, refused in found]


def _finding(name: str, refused: Refused | None) -> dict[str, Any]:
    """Without what is not there: the socket's maps have no nil."""
    if refused is None:
        return {"rule": name}
    found = {"rule": name, "reason": str(refused.reason), "text": refused.text}
    return found if refused.until is None else found | {"until": refused.until}


# The commands' side


def ask_reload(home: Home) -> Mapping[str, Any]:
    """Has the running node go by what node.toml says now."""
    return ask_node(home.node, {"do": "policy-reload"}, _no_progress)


def ask_state(home: Home) -> Mapping[str, Any] | None:
    """What the running node remembers and has refused; None if none runs."""
    try:
        return ask_node(home.node, {"do": "policy-state"}, _no_progress)
    except BusyError:
        raise
    except NodeUnavailableError:
        return None


class PolicyTest:
    """What would become of statements: on the running node, else on its store."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._ledger: Ledger | None = None
        self._admission: Admission | None = None

    def rules(self, statement: Statement, source: str, peer: str) -> Findings:
        """What each rule says, in order; raises StoreError, MalformedError."""
        request = {
            "do": "policy-test",
            "peer": peer,
            "source": source,
            "statement": statement.to_envelope(),
        }
        if self._admission is None:
            try:
                found = ask_node(self._home.node, request, _no_progress)
                return list(found["rules"])
            except BusyError:
                raise
            except NodeUnavailableError:
                self._admission = self._open()
        return _test(self._admission, request)

    def _open(self) -> Admission:
        from byline_ledger.log import Ledger

        policy = NodeConfig.load(self._home.folder).admission
        self._ledger = Ledger.open(self._home.node)
        admission = Admission(self._ledger, policy)
        admission.load()
        return admission

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()


def _no_progress(_done: int, _total: int) -> None:
    """None of it takes long."""
