"""A folder behind a web server, which can also answer as a mirror does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

Answer = Callable[[bytes], bytes]
"""The body that a nonce is answered with."""


class Handler(SimpleHTTPRequestHandler):
    """Files, and `followed` if there is an answer to it."""

    protocol_version = "HTTP/1.1"
    # Head and body go out apart: with Nagle's algorithm each file takes 40 ms.
    disable_nagle_algorithm = True
    folder: Path
    answer: Answer | None

    def translate_path(self, path: str) -> str:
        return str(self.folder / urlsplit(path).path.removeprefix("/copy/"))

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if self.answer is None or not asked.path.endswith("/followed"):
            return super().do_GET()
        body = self.answer(bytes.fromhex(parse_qs(asked.query)["nonce"][0]))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *_arguments: object) -> None:
        """Nobody reads it."""


class Server(ThreadingHTTPServer):
    """With room for those who come while others are let in: else they wait a second."""

    request_queue_size = 128
    daemon_threads = True


@contextmanager
def web_server(folder: Path, answer: Answer | None = None) -> Iterator[str]:
    """The URL of the folder, while it is served."""
    members = {
        "folder": folder,
        "answer": staticmethod(answer) if answer is not None else None,
    }
    handler = type("Serving", (Handler,), members)
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/copy"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
