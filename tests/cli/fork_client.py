"""Has the warm process of `forker.py` run one `byline` command, and waits for it.

As a program it stands for `byline` in the pipes of transcripts: it lends its input,
outputs, folder and environment.  It imports little, since it is started often.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence


def ask(
    place: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
    descriptors: Sequence[int],
    timeout: float | None = None,
) -> int:
    """The exit code of `byline ARGUMENTS` with these three standard descriptors.

    TimeoutError after so many seconds.
    """
    order = {
        "arguments": list(arguments),
        "environment": dict(environment),
        "folder": folder,
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(place)
        socket.send_fds(connection, [b"."], list(descriptors))
        connection.sendall(json.dumps(order).encode() + b"\n")
        answer = connection.makefile("rb").readline()
    code = int(answer)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    here = os.getcwd()  # noqa: PTH109  # pathlib takes long to load
    sys.exit(ask(sys.argv[1], sys.argv[2:], os.environ, here, (0, 1, 2)))
