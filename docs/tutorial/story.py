"""A story of five people and what their statements amount to.

    make story          or:  python docs/tutorial/story.py

A photographer, a writer, a model builder, a cooperative and an archive, each with keys
of their own, type commands; a node runs for the archive.  What they must be told is
written here by hand, from docs/spec/state.md.  Whatever comes out otherwise ends the
story.  Nothing stays behind, and nothing leaves this machine.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from story_chapters import (
    altered,
    chains,
    consent,
    cooperative,
    credentials,
    data_set,
    generations,
    keys,
    seals,
)
from story_people import Cast, chapter


def main() -> None:
    """All chapters, in order: later ones go on with what earlier ones left."""
    with (
        tempfile.TemporaryDirectory(prefix="byline-story-") as folder,
        Cast(Path(folder)) as cast,
    ):
        for tell in (
            seals,
            chains,
            keys,
            consent,
            cooperative,
            generations,
            data_set,
            altered,
            credentials,
        ):
            title, *_ = (tell.__doc__ or "").splitlines()
            chapter(title)
            tell(cast)
    print("\nThe story holds.")


if __name__ == "__main__":
    main()
