"""libp2p as it comes, one patch at a time, to show what the patch is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from byline_node import host_dht, host_patches, host_setup


@contextmanager
def patch_in_force(label: str, in_force: bool) -> Iterator[None]:
    """With all patches of libp2p, but for this one if it is not in force."""
    patches = [*host_patches.PATCHES, *host_dht.DHT_PATCHES]
    host_patches.apply_patches(patches)
    (patch,) = [one for one in patches if one.label == label]
    with pytest.MonkeyPatch.context() as monkeypatch:
        if not in_force:
            original = host_patches._ORIGINALS[label]
            monkeypatch.setattr(patch.where, patch.name, original)
        yield


def without_options(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Hosts are made without these options of `libp2p.new_host`."""
    make = host_setup.new_host

    def new_host(**options: Any) -> Any:
        return make(**{k: v for k, v in options.items() if k not in names})

    monkeypatch.setattr(host_setup, "new_host", new_host)


@contextmanager
def replaced(where: Any, name: str, value: Any, *, unless: bool) -> Iterator[None]:
    """With something else in the place of a patch that is no single name."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if not unless:
            monkeypatch.setattr(where, name, value)
        yield


@contextmanager
def method_in_force(
    ours: type, theirs: type, name: str, in_force: bool
) -> Iterator[None]:
    """Our override of a method, or libp2p's own."""
    with replaced(ours, name, getattr(theirs, name), unless=in_force):
        yield
