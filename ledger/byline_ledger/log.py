"""The log in one import: `from byline_ledger.log import Ledger, LogView`."""

from __future__ import annotations

from byline_ledger.ledger import Appended, Ledger
from byline_ledger.view import LogView

__all__ = ["Appended", "Ledger", "LogView"]
