"""The control socket: what the operator's own commands ask of the running node.

A Unix socket `control` in the node's folder, for its owner alone.  One request on a
connection; frames (frames.py) hold canonical maps:

    {"do": text, ...}                       the request
    {"done": uint, "total": uint}           how far it is, any number of times
    {"result": {...}}                       the end
    {"error": {"kind": text, "message": text, "hint": text}}      or this one

Rule: whoever can open the socket could read the node's secret as well, so it asks for
no other right; but what comes is bounded and checked like anybody's.  Work is done in a
thread, and given up when the node stops or the command goes away.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import structlog
import trio

from byline_ledger import codec
from byline_ledger.errors import BylineError, MalformedError
from byline_node.calls import error_classes, one_line
from byline_node.errors import BusyError, NodeUnavailableError
from byline_node.frames import read_frame, write_frame

NAME = "control"
MAX_SOCKET_PATH = 107
"""Bytes of a path that Linux takes for a Unix socket."""
MAX_REQUEST = 32_768
"""The largest holds a statement."""
MAX_REPLY = 65_536
MAX_DEPTH = 4
MAX_CONNECTIONS = 4
BACKLOG = 16
REQUEST_SECONDS = 5.0
REPLY_SECONDS = 60.0
"""Between two replies; a takedown may have to wait for a commit and rewrites files."""
SEND_SECONDS = 5.0
PROGRESS_SECONDS = 0.2

Progress: TypeAlias = Callable[[int, int], None]
Job: TypeAlias = Callable[[Mapping[str, Any], Progress], Mapping[str, Any]]
"""`job(request, progress)` is the result; called in a thread."""

log = structlog.get_logger("byline.control")


class _Bytes:
    """A socket as frames.py wants it."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream

    async def receive(self, most: int) -> bytes:
        with _gone():
            return bytes(await self._stream.receive_some(most))

    async def send(self, data: bytes) -> None:
        with _gone(), trio.fail_after(SEND_SECONDS):
            await self._stream.send_all(data)


@contextmanager
def _gone() -> Iterator[None]:
    try:
        yield
    except (trio.BrokenResourceError, trio.TooSlowError) as error:
        raise NodeUnavailableError("the other end of the socket has gone") from error


@contextmanager
def socket_path(folder: Path) -> Iterator[str]:
    """A name of the folder's socket that is short enough, also in a deep folder."""
    path = str(folder / NAME)
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH:
        yield path
        return
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


# The node's side


async def serve_control(
    folder: Path,
    jobs: Mapping[str, Job],
    task_status: Any = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answers until cancelled.  `folder` is locked by this process: a socket that is
    there already is a dead one's.  A node that cannot listen goes on without."""
    try:
        listener = await _listen(folder)
    except OSError as error:
        log.warning("no control socket", folder=str(folder), reason=error.strerror)
        task_status.started()
        return
    try:
        task_status.started()
        await trio.serve_listeners(_Server(jobs).serve, [listener])
    finally:
        with suppress(OSError):
            (folder / NAME).unlink()


async def _listen(folder: Path) -> trio.SocketListener:
    (folder / NAME).unlink(missing_ok=True)
    listening = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with socket_path(folder) as path:
            await listening.bind(path)
        # Nobody can connect before `listen`.
        (folder / NAME).chmod(0o600)
        listening.listen(BACKLOG)
        return trio.SocketListener(listening)
    except BaseException:
        listening.close()
        raise


class _Server:
    def __init__(self, jobs: Mapping[str, Job]) -> None:
        self._jobs = jobs
        self._open = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        """One connection, to its end."""
        frames = _Bytes(stream)
        self._open += 1
        try:
            async with stream:
                try:
                    answer = {"result": dict(await self._answer(frames))}
                except BylineError as error:
                    answer = {"error": _error_map(error)}
                await write_frame(frames, codec.pack(answer))
        except NodeUnavailableError:
            pass  # the command has gone
        finally:
            self._open -= 1

    async def _answer(self, frames: _Bytes) -> Mapping[str, Any]:
        if self._open > MAX_CONNECTIONS:
            raise BusyError(f"the node does {MAX_CONNECTIONS} things already")
        request: dict[str, Any] = {}
        with trio.move_on_after(REQUEST_SECONDS):
            request = parse(await read_frame(frames, MAX_REQUEST), MAX_REQUEST)
        job = self._jobs.get(str(request.pop("do", "")))
        if job is None:
            raise MalformedError("expected a request that this node knows")
        progress = _Sender(frames).progress
        return await trio.to_thread.run_sync(job, request, progress)


class _Sender:
    """Sends progress out of a thread, now and then."""

    def __init__(self, frames: _Bytes) -> None:
        self._frames = frames
        self._next = 0.0

    def progress(self, done: int, total: int) -> None:
        """Raises where the work should be given up."""
        trio.from_thread.check_cancelled()
        trio.from_thread.run(self._send, done, total)

    async def _send(self, done: int, total: int) -> None:
        if trio.current_time() >= self._next:
            self._next = trio.current_time() + PROGRESS_SECONDS
            report = codec.pack({"done": done, "total": total})
            await write_frame(self._frames, report)


def _error_map(error: BylineError) -> dict[str, str]:
    return {
        "kind": error.kind,
        "message": str(error),
        "hint": error.hint or "",
    }


def parse(data: bytes | None, most: int) -> dict[str, Any]:
    """A map out of a frame, else MalformedError."""
    value = codec.unpack(
        data or b"", max_size=most, max_depth=MAX_DEPTH, what="control message"
    )
    if not isinstance(value, Mapping):
        raise MalformedError("control message: expected a map")
    return dict(value)


# The command's side


def ask_node(
    folder: Path, request: Mapping[str, Any], progress: Progress
) -> Mapping[str, Any]:
    """The result of one request to the node that runs in `folder`.

    Raises NodeUnavailableError if none answers there, and what the node refuses with.
    """
    return trio.run(_ask, folder, request, progress)


async def _ask(
    folder: Path, request: Mapping[str, Any], progress: Progress
) -> Mapping[str, Any]:
    async with await _connect(folder) as stream:
        frames = _Bytes(stream)
        await write_frame(frames, codec.pack(dict(request)))
        while True:
            reply = await _reply(frames)
            if "error" in reply:
                raise _read_error(reply["error"])
            if "result" in reply:
                return dict(reply["result"])
            progress(int(reply["done"]), int(reply["total"]))


async def _connect(folder: Path) -> trio.SocketStream:
    connecting = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with socket_path(folder) as path:
            await connecting.connect(path)
        return trio.SocketStream(connecting)
    except OSError as error:
        connecting.close()
        raise NodeUnavailableError(
            f"no node answers in {folder}", hint="start it with: byline node run"
        ) from error


async def _reply(frames: _Bytes) -> dict[str, Any]:
    """Of this node's own making, but another program may have taken its place."""
    with trio.move_on_after(REPLY_SECONDS):
        data = await read_frame(frames, MAX_REPLY)
        if data is None:
            raise NodeUnavailableError(
                "the node stopped before it was done", hint="see its log lines"
            )
        reply = parse(data, MAX_REPLY)
        if not reply.keys() & {"error", "result"} and reply.keys() != {"done", "total"}:
            raise MalformedError("control message: expected progress or an end")
        return reply
    raise NodeUnavailableError(f"the node said nothing for {REPLY_SECONDS:.0f} seconds")


def _read_error(problem: Any) -> BylineError:
    said = problem if isinstance(problem, Mapping) else {}
    kind = error_classes().get(str(said.get("kind")), NodeUnavailableError)
    message = one_line(said.get("message") or "the node refused")
    return kind(message, hint=one_line(said.get("hint") or "") or None)
