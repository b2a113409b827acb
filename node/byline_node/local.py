"""The client for when no node runs: the same methods, straight on the store.

`open_client` decides which of the two it is.  What is published here reaches nobody
until a node runs on the same folder, so callers should say that the client is local.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from byline_ledger.admission import Arrival, Source
from byline_ledger.answer import Answer
from byline_ledger.bundle import DEFAULT_DEPTH, build_bundle
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.errors import BylineError, ReadOnlyError
from byline_ledger.log import Ledger, LogView
from byline_ledger.merkle import consistency_proof
from byline_ledger.policy import Policy
from byline_ledger.statement import Statement
from byline_ledger.store.node_files import NodeFiles
from byline_node import operations, taken_down
from byline_node.admission import Admission
from byline_node.calls import Progress, chunks, halves, parse_asked, read_answer
from byline_node.config import NodeConfig
from byline_node.errors import NodeUnavailableError, RefusedForNowError
from byline_node.fingerprint import Asked
from byline_node.home import Home, RunningNode, find_home, make_node
from byline_node.many_works import ManyWorks
from byline_node.receipts import Receipt, receipts_from_view, verify_receipts
from byline_node.shared_question import SharedQuestion
from byline_node.similar_calls import Resemblances, read_candidates
from byline_node.similar_index import SimilarIndex
from byline_node.taken_down import Takedowns

if TYPE_CHECKING:
    from byline_node.client import Client


ASK_FIRST = (
    "others cosigned this log, and must be asked before it is signed again: start it"
    " with `byline node run`"
)


class LocalClient(ManyWorks):
    """A node's store, opened by this process alone; makes one if there is none.

    Raises StoreLockedError where a node, or another command, has it open.
    """

    def __init__(self, home: Home, *, policy: Policy | None = None) -> None:
        self._policy = policy
        self._home = home
        self._admission: Admission | None = None
        self.created = make_node(home.node)
        self._ledger = Ledger.open(home.node)
        if self._ledger.latest_cosigned is not None:
            self._ledger.hold(ASK_FIRST)

    @property
    def view(self) -> LogView:
        return self._ledger.view

    def publish(
        self, statements: Iterable[Statement], *, progress: Progress | None = None
    ) -> list[Receipt]:
        """See Client.publish; the signatures are verified here."""
        if self._ledger.read_only is not None:
            raise ReadOnlyError(self._ledger.read_only)
        receipts: list[Receipt] = []
        for chunk in chunks(statements):
            for statement in chunk:
                statement.verify()
            operations.require_wanted(self.view, chunk)
            for part in self._admitted(chunk):
                appended = self._ledger.append(part)
                self._policy_of_node().end(part)
                given = receipts_from_view(appended, self.view)
                verify_receipts(given, part)
                receipts += given
                if progress is not None:
                    progress(len(part))
        return receipts

    def _admitted(self, statements: list[Statement]) -> Iterator[list[Statement]]:
        """The statements in one part, or in several as calls.publish cuts them: the
        policy holds for the operator's own hand as well."""
        waiting = [statements]
        while waiting:
            part = waiting.pop()
            arrivals = [Arrival(Source.API, "local", one) for one in part]
            try:
                self._policy_of_node().take(arrivals)
            except RefusedForNowError:
                if len(part) == 1:
                    raise
                waiting += halves(part)
                continue
            yield part

    def _policy_of_node(self) -> Admission:
        if self._admission is None:
            policy = NodeConfig.load(self._home.folder).admission
            self._admission = Admission(self._ledger, policy)
            self._admission.load()
        return self._admission

    def admission(self, author: bytes | None = None) -> dict[str, Any]:
        """See Client.admission."""
        return self._policy_of_node().describe(author)

    def query(
        self,
        asked: str | bytes,
        *,
        depth: int = DEFAULT_DEPTH,
        keys: Collection[bytes] = (),
        now: int | None = None,
    ) -> Answer:
        """See Client.query."""
        digest = self._resolve(asked)
        bundle = build_bundle(self.view, digest, depth=depth, keys=keys)
        return read_answer(bundle, digest, depth, self._policy, now, keys)

    def query_bundle(
        self,
        asked: str | bytes,
        *,
        depth: int = DEFAULT_DEPTH,
        keys: Collection[bytes] = (),
    ) -> bytes:
        """See Client.query_bundle."""
        digest = self._resolve(asked)
        return build_bundle(self.view, digest, depth=depth, keys=keys)

    def ask_shared(self, question: SharedQuestion) -> bytes:
        return operations.query_shared(self.view, question)

    def statement(self, id_: bytes) -> Statement:
        """See Client.statement."""
        return operations.find_statement(self.view, id_)

    def authored(self, author: bytes, digests: Sequence[bytes]) -> list[Statement]:
        """See Client.authored."""
        found: dict[bytes, Statement] = {}
        for digest in digests:
            said = operations.authored(self.view, author, [digest])
            found |= {statement.id: statement for statement in said}
        return list(found.values())

    def taken_down(self, author: bytes, works: Sequence[bytes]) -> Takedowns:
        """See Client.taken_down."""
        found = taken_down.find(self.view, author, works)
        return {one.about: one for one in found}

    def consistency(self, old: int, note: bytes) -> tuple[bytes, ...]:
        """See Client.consistency."""
        new = checkpoint_of(note).size
        if new < old:
            return ()
        return tuple(consistency_proof(old, new, self.view.node))

    def similar(self, asked: Asked) -> Resemblances:
        """See Client.similar; the index is brought up to the log first."""
        index = SimilarIndex(self._home.node)
        return read_candidates(asked, index.search(self.view, asked.question))

    def status(self) -> dict[str, Any]:
        """See Client.status; what only a running node has is empty."""
        return operations.describe_log(self.view, self._ledger.read_only) | {
            "peer_id": None,
            "listen": [],
            "api": None,
            "peers": [],
            "brought_by": {},
            "gossip": {},
            "cosigned": operations.describe_cosigned(self._ledger),
            "witnesses": [],
            "alarms": [],
            "admission": self._policy_of_node().status(),
        }

    def close(self) -> None:
        self._ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _resolve(self, asked: str | bytes) -> bytes:
        if isinstance(asked, str):
            return operations.resolve(self.view, asked)
        return parse_asked(asked).multihash


def open_client(
    home: Home | None = None,
    url: str | None = None,
    *,
    policy: Policy | None = None,
    environ: Mapping[str, str] | None = None,
    make: bool = True,
) -> Client | LocalClient:
    """A client of the node at `url` or $BYLINE_NODE, of the one that runs, or local.

    A node that was named must answer; NodeUnavailableError if it does not, or if there
    is none here and none is to be made.
    """
    environ = os.environ if environ is None else environ
    home = home or find_home(environ)
    if url:
        return reach(remote(url, policy=policy))
    named = environ.get("BYLINE_NODE")
    if named:
        with blaming_variable(named):
            return reach(remote(named, policy=policy))
    running = RunningNode.read(home.run_file)
    if running is not None and is_reached(running):
        return remote(running.api, policy=policy)
    if not make and not NodeFiles(home.node).is_node():
        raise NodeUnavailableError(
            f"there is no node on {home.folder} to ask",
            hint="ask another with BYLINE_NODE=URL, or make one: byline node init",
        )
    return LocalClient(home, policy=policy)


@contextmanager
def blaming_variable(url: str) -> Iterator[None]:
    """Errors of a node that $BYLINE_NODE names say so, and name its URL."""
    try:
        yield
    except BylineError as error:
        message = str(error) if url in str(error) else f"{url}: {error}"
        hint = "BYLINE_NODE names that node: correct it, or unset it"
        raise type(error)(message, hint=hint) from None


def remote(
    url: str, *, policy: Policy | None = None, timeout: float | None = None
) -> Client:
    """A client over HTTP, which is loaded only where a node is asked."""
    from byline_node.client import Client

    return Client(url, policy=policy, timeout=timeout)


def reach(client: Client) -> Client:
    """The same client, once its node has answered."""
    try:
        client.health()
    except BylineError:
        client.close()
        raise
    return client


def is_reached(running: RunningNode) -> bool:
    """Whether the node that wrote the run file still answers, and not another one."""
    try:
        with remote(running.api, timeout=2.0) as client:
            return client.health() == running.origin
    except BylineError:
        return False
