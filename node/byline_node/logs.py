"""The node's log lines: JSON on stderr, or readable ones where stderr is a terminal.

One line per event, with fields; never a secret, never more than 64 bytes of what a
stranger sent.  Lines of the libraries pass through the same form.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog

QUIET = (
    "libp2p",
    "multiaddr",
    "hypercorn",
    "httpx",
    "httpcore",
    "trio",
    "async_service",
)
"""Libraries that report a peer's faults as their own errors."""


def configure_logs(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Sets up structlog and the standard logging for this process."""
    stream = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.UnicodeDecoder(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(make_formatter(shared, readable=stream.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def make_formatter(
    shared: list[structlog.typing.Processor], *, readable: bool
) -> structlog.stdlib.ProcessorFormatter:
    last: list[structlog.typing.Processor]
    if readable:
        last = [structlog.dev.ConsoleRenderer()]
    else:
        last = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
