"""A picture that breaks off is told from one that is whole, without decoding it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from byline_node import cut_short
from byline_node.cut_short import is_cut_short


def picture(form: str, **more: object) -> bytes:
    """Some picture of that form."""
    stream = io.BytesIO()
    image = Image.effect_noise((64, 48), 90).convert("RGB")
    image.save(stream, form, **more)
    return stream.getvalue()


def preview() -> bytes:
    """An application segment that holds a whole JPEG of its own."""
    inner = b"Exif\0\0" + picture("JPEG")
    return b"\xff\xe1" + (len(inner) + 2).to_bytes(2, "big") + inner


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_half_a_picture_is_cut_short(form: str, tmp_path: Path) -> None:
    data, path = picture(form), tmp_path / "picture"
    path.write_bytes(data)
    assert not is_cut_short(path)
    path.write_bytes(data + b"what a camera adds")
    assert not is_cut_short(path)
    for size in (len(data) // 2, len(data) - 2, 20):
        path.write_bytes(data[:size])
        assert is_cut_short(path), size


def test_the_end_of_a_preview_is_none_of_the_picture(tmp_path: Path) -> None:
    data = picture("JPEG", progressive=True)
    whole = data[:2] + preview() + data[2:]
    path = tmp_path / "picture.jpg"
    path.write_bytes(whole)
    assert not is_cut_short(path)
    path.write_bytes(whole[:-100])
    assert is_cut_short(path)


@pytest.mark.parametrize(
    "data",
    [b"", b"a text", b"\xff\xd8\xff\xff\xff\xd0\xff\xd9", b"\xff\xd8nonsense"],
)
def test_what_is_not_known_is_not_judged(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert not is_cut_short(path)


def test_neither_is_what_is_large_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture.jpg"
    assert not is_cut_short(path)
    path.write_bytes(picture("JPEG")[:400])
    assert is_cut_short(path)
    monkeypatch.setattr(cut_short, "MAX_BYTES", 100)
    assert not is_cut_short(path)
