"""What holds for every test: signals as a person's shell has them, no deadlines."""

from __future__ import annotations

import signal

from hypothesis import settings

# A shell that runs this in the background has SIGINT ignored, and children inherit it:
# the programs under test could not be interrupted.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long one example takes says more about the machine than about the code.
settings.register_profile("byline", deadline=None, print_blob=True)
settings.load_profile("byline")
