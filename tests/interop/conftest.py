"""With CI=true in `make interop`, what is skipped is a failure, with its reason."""

from __future__ import annotations

import os

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):  # type: ignore[no-untyped-def]
    report = yield
    must_run = os.environ.get("BYLINE_INTEROP") and os.environ.get("CI") == "true"
    if must_run and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped where it must run: {report.longrepr}"
    return report
