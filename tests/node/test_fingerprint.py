"""Fingerprints: images in many dresses, bombs, broken ones; texts in any encoding."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from byline_ledger.content import Fingerprints
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import MalformedError, StoreError
from byline_ledger.fingerprint_codes import Codes, codes_of
from byline_ledger.likeness import Likeness, compare
from byline_node import pictures
from byline_node.fingerprint import (
    FEWEST_OF_CHUNK,
    MAX_BYTES,
    MAX_CHUNKS,
    Asked,
    Found,
    codes_of_chunks,
    fingerprint,
    question_about,
)
from byline_node.fingerprint_files import (
    ask_about_file,
    fingerprint_file,
    fingerprint_files,
)
from byline_node.iscc_codes import collapse, image_code, text_code
from byline_node.pictures import MAX_PIXELS, read_picture
from byline_node.texts import read_text


def picture(seed: int = 1, size: tuple[int, int] = (480, 360)) -> Image.Image:
    """Something with as much in it as a photo, from a seed."""
    dice = random.Random(seed)
    image = Image.new("RGB", size, (90, 120, 150))
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y = dice.randrange(size[0]), dice.randrange(size[1])
        w, h = dice.randrange(20, 160), dice.randrange(20, 160)
        colour = tuple(dice.randrange(256) for _ in range(3))
        draw.ellipse((x - w, y - h, x + w, y + h), fill=colour)
    return image.filter(ImageFilter.GaussianBlur(2))


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def made(data: bytes) -> Found:
    return fingerprint([data], data)


def codes(data: bytes) -> Codes:
    found = made(data).fingerprints
    assert found is not None
    return codes_of(found)


def asked(data: bytes) -> Asked:
    return question_about([data], data)


def likeness(copy: bytes, work: bytes) -> Likeness | None:
    about = asked(copy)
    return compare(about.question, codes(work), about.image)


WORK = picture()
WORK_BYTES = saved(WORK)
WORDS = [f"word{n}ing" for n in range(900)]


def essay(seed: int = 1, words: int = 800) -> str:
    dice = random.Random(seed)
    return " ".join(dice.choice(WORDS) for _ in range(words))


# The engine


def test_the_codes_are_those_of_the_standard() -> None:
    import iscc_lib

    assert iscc_lib.conformance_selftest()


def test_the_first_bits_of_a_long_image_code_are_the_short_one() -> None:
    import iscc_lib

    square = read_picture(WORK_BYTES).square()
    short = iscc_lib.gen_image_code_v0(square, 64)["iscc"]
    assert iscc_lib.iscc_decode(short)[4] == image_code(square).body[:8]


# Images


def test_a_picture_has_codes_of_itself_its_windows_and_its_bytes() -> None:
    found = made(WORK_BYTES)
    assert found.problem is None
    assert found.fingerprints is not None
    assert [one[:8] for one in found.fingerprints.iscc] == [
        "ISCC:EED",
        "ISCC:GAD",
        "ISCC:IAD",
    ]
    assert len(found.fingerprints.windows) == 52
    assert found.fingerprints.chunks == ()


@pytest.mark.parametrize("form", ["AVIF", "BMP", "GIF", "JPEG", "PPM", "TIFF", "WEBP"])
def test_formats_that_people_have_are_read(form: str) -> None:
    found = likeness(saved(WORK, form), WORK_BYTES)
    assert found is not None
    assert found.kind == "image"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda image: image.resize((240, 180)), "image"),
        (lambda image: image.convert("L"), "image"),
        (lambda image: image.convert("P"), "image"),
        (lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "image"),
        (lambda image: image.transpose(Image.Transpose.ROTATE_90), "image"),
        (lambda image: image.crop((0, 0, 360, 360)), "part"),
        (lambda image: image.crop((48, 36, 432, 324)), "part"),
    ],
)
def test_copies_resemble_the_work(change: object, kind: str) -> None:
    copy = saved(change(WORK))  # type: ignore[operator]
    found = likeness(copy, WORK_BYTES)
    assert found is not None
    assert found.kind == kind


def test_a_work_that_is_a_part_of_the_file_resembles_it() -> None:
    found = likeness(WORK_BYTES, saved(WORK.crop((0, 0, 360, 360))))
    assert found is not None
    assert found.kind == "larger"


def test_a_turned_copy_says_so() -> None:
    mirrored = saved(WORK.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    found = likeness(mirrored, WORK_BYTES)
    assert found is not None
    assert found.turn == 1


def test_other_pictures_do_not_resemble_it() -> None:
    for seed in range(2, 12):
        assert likeness(saved(picture(seed)), WORK_BYTES) is None


def test_a_frame_is_taken_off_and_a_frame_in_a_frame() -> None:
    framed = Image.new("RGB", (600, 480), "white")
    inner = Image.new("RGB", (560, 440), "black")
    inner.paste(WORK, (40, 40))
    framed.paste(inner, (20, 20))
    found = likeness(saved(framed, "JPEG"), WORK_BYTES)
    assert found is not None
    assert (found.kind, found.turn) == ("image", 0)


def test_a_picture_is_turned_upright_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = WORK.transpose(Image.Transpose.ROTATE_90)
    found = likeness(saved(lying, "JPEG", exif=exif), WORK_BYTES)
    assert found is not None
    assert found.turn == 0


def test_what_is_transparent_is_white() -> None:
    clear = WORK.convert("RGBA")
    hole = Image.new("L", WORK.size, 255)
    hole.paste(0, (100, 100, 300, 250))
    clear.putalpha(hole)
    white = WORK.copy()
    white.paste("white", (100, 100, 300, 250))
    assert read_picture(saved(clear)).square() == read_picture(saved(white)).square()


def test_greys_of_16_bits_are_read() -> None:
    deep = Image.frombytes(
        "I;16",
        WORK.size,
        b"".join(bytes((0, v)) for v in WORK.convert("L").tobytes()),
    )
    found = likeness(saved(deep, "TIFF"), WORK_BYTES)
    assert found is not None
    assert found.kind == "image"


def test_of_several_frames_the_first_is_read() -> None:
    more = [picture(seed).convert("P") for seed in (2, 3)]
    data = saved(WORK.convert("P"), "GIF", save_all=True, append_images=more)
    found = likeness(data, WORK_BYTES)
    assert found is not None
    assert found.kind == "image"


@pytest.mark.parametrize("colour", ["white", "black", (10, 200, 30)])
def test_a_plain_picture_has_the_codes_of_its_bytes_alone(colour: object) -> None:
    found = made(saved(Image.new("RGB", (64, 64), colour)))  # type: ignore[arg-type]
    assert found.problem == "the picture is plain"
    assert found.fingerprints is not None
    assert [one[:8] for one in found.fingerprints.iscc] == ["ISCC:GAD", "ISCC:IAD"]


# Bad images


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is that large, in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 20))
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(10_001, 10_000), (60_000, 60_000), (2**31 - 1, 2)])
def test_a_bomb_is_not_decoded(size: tuple[int, int]) -> None:
    found = made(bomb(*size))
    assert found.problem == f"the picture has more than {MAX_PIXELS:,} pixels"
    assert found.fingerprints is not None
    assert found.fingerprints.windows == ()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "AVIF"])
def test_a_broken_picture_is_one_clear_line(form: str) -> None:
    whole = saved(WORK, form)
    dice = random.Random(form)
    for _ in range(3):
        cut = whole[: dice.randrange(16, len(whole) - 64)]
        spoilt = bytearray(whole)
        for _ in range(40):
            spoilt[dice.randrange(16, len(whole))] = dice.randrange(256)
        for data in (cut, bytes(spoilt)):
            found = made(data)
            assert found.fingerprints is not None
            assert found.problem is None or "\n" not in found.problem
    problem = made(whole[:100]).problem
    assert problem is not None
    assert problem.startswith("the picture cannot be decoded: ")


def test_formats_that_run_programs_are_not_read() -> None:
    with pytest.raises(MalformedError, match="not one of the formats"):
        read_picture(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")


def test_a_jpeg_of_endless_scans_is_not_decoded() -> None:
    whole = saved(WORK, "JPEG", progressive=True)
    assert 1 < pictures.scans_in(whole) < 20
    last = whole[whole.rfind(b"\xff\xda") : -2]
    found = made(whole[:-2] + last * pictures.MAX_SCANS + whole[-2:])
    assert found.problem == f"the picture has more than {pictures.MAX_SCANS} scans"
    # What comes after the picture's end is none of it: films that phones append.
    after = made(whole + last * pictures.MAX_SCANS)
    assert after.problem == made(whole).problem


@pytest.mark.parametrize(
    "data",
    [
        b"P6 64 64 254\n" + bytes(64 * 64 * 3),
        b"P5 64 64 1000\n" + bytes(64 * 64 * 2),
    ],
)
def test_what_is_decoded_slowly_is_not_read(data: bytes) -> None:
    with pytest.raises(MalformedError, match="packed in a way that is not read"):
        read_picture(data)


@pytest.mark.parametrize("turn", range(1, 9))
def test_pictures_are_upright_as_pillow_has_it(turn: int) -> None:
    small = WORK.resize((61, 47))
    small.putalpha(small.convert("L"))
    exif = Image.Exif()
    exif[0x0112] = turn
    with Image.open(BytesIO(saved(small, exif=exif))) as image:
        found = pictures._grey(image)
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    white = Image.new("RGBA", upright.size, (255, 255, 255, 255))
    expected = Image.alpha_composite(white, upright).convert("L")
    assert found.size == expected.size
    assert found.tobytes() == expected.tobytes()


def test_large_pictures_are_decoded_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures, "LARGE_PIXELS", 100)
    assert likeness(WORK_BYTES, WORK_BYTES) == Likeness("bytes", 0, 256)
    assert not pictures._one_large.locked()


def test_a_large_file_has_the_codes_of_its_bytes_alone() -> None:
    found = fingerprint([WORK_BYTES], None)
    assert found.problem == f"it has more than {MAX_BYTES:,} bytes"
    assert question_about([WORK_BYTES], None).question.turned == ()


def test_what_is_neither_picture_nor_text_says_so() -> None:
    assert made(bytes(range(256)) * 8).problem == "it is neither a picture nor a text"


# Texts


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1"]
)
def test_a_text_has_the_same_codes_in_any_encoding(encoding: str) -> None:
    text = "Süß und ärgerlich. " + essay()
    data = text.encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    whole = codes(text.encode())
    assert codes(data).text == whole.text
    assert codes(data).chunks == whole.chunks
    assert len(whole.chunks) > 10


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a text with a zero \0 in it",
        b"\xff\xfe\x00\xd8",  # half a pair
        b"\xff\xfea\0\0\0",
        b"\xef\xbb\xbf\xff",
        b"\x7fELF\x02\x01\x01\0",
    ],
)
def test_bytes_that_are_no_text_have_none(data: bytes) -> None:
    assert not read_text(data)


def test_a_text_too_large_is_not_read() -> None:
    assert read_text(b"a" * (16 << 20)) is not None
    assert read_text(b"a" * ((16 << 20) + 1)) is None


def test_a_short_text_has_the_codes_of_its_bytes_alone() -> None:
    found = made(essay(words=40).encode())
    assert found.problem == "the text is too short"
    assert found.fingerprints is not None
    assert len(found.fingerprints.iscc) == 2


@pytest.mark.parametrize("character", ["\ufdfa", "\u33ff"])
def test_characters_that_stand_for_many_make_no_work(character: str) -> None:
    found = made((character * 1000).encode())
    assert found.problem == "the text is of characters that stand for many"
    some = made((essay() + character * 10).encode())
    assert some.problem is None


def test_an_edited_text_resembles_the_work_and_an_excerpt_does() -> None:
    text = essay()
    edited = text.replace("word7", "another").upper().encode()
    found = likeness(edited, text.encode())
    assert found is not None
    assert found.kind == "text"
    quoted = essay(2, 300) + text[:1800] + essay(3, 300)
    found = likeness(quoted.encode(), text.encode())
    assert found is not None
    assert (found.kind, found.of) == ("excerpt", 64)
    assert likeness(essay(4).encode(), text.encode()) is None


def test_two_copies_of_a_long_text_keep_the_same_chunks() -> None:
    letters = collapse(essay(1, 60_000))
    kept = codes_of_chunks(letters)
    assert len(kept) == MAX_CHUNKS
    other = codes_of_chunks(letters[1000:])
    assert len(set(kept) & set(other)) > MAX_CHUNKS * 0.95


def test_a_chunk_is_not_too_short() -> None:
    assert codes_of_chunks("a" * (FEWEST_OF_CHUNK - 1)) == []
    assert codes_of_chunks("a" * FEWEST_OF_CHUNK) == [
        text_code("a" * FEWEST_OF_CHUNK).body[:8]
    ]


# Bytes


def test_a_file_whose_metadata_changed_is_nearly_the_same_bytes() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a long description " * 20
    plain = saved(picture(5, (1600, 1200)), "JPEG", quality=95)
    said = saved(picture(5, (1600, 1200)), "JPEG", quality=95, exif=exif)
    assert plain != said
    about, work = question_about([said], None), fingerprint([plain], None)
    assert work.fingerprints is not None
    found = compare(about.question, codes_of(work.fingerprints), about.image)
    assert found is not None
    assert found.kind == "bytes"


# Files


def test_files_are_read_once_and_in_order(tmp_path: Path) -> None:
    files: list[tuple[Path, bytes]] = []
    for number in range(12):
        path = tmp_path / f"{number}.txt"
        path.write_text(essay(number))
        files.append((path, digest_bytes(path.read_bytes())))
    steps: list[int] = []
    found = list(fingerprint_files(files, steps.append))
    assert sum(steps) == 12
    alone = [made(path.read_bytes()) for path, _ in files]
    assert found == alone


def test_a_file_that_changed_since_has_no_fingerprints(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(WORK_BYTES)
    found = fingerprint_file(path, digest_bytes(b"something else"))
    assert found == Found(None, "it changed while it was read")
    assert fingerprint_file(path, digest_bytes(WORK_BYTES)) == made(WORK_BYTES)


def test_a_file_that_is_gone_is_one_clear_line(tmp_path: Path) -> None:
    found = fingerprint_file(tmp_path / "gone", digest_bytes(b""))
    assert found.fingerprints is None
    assert found.problem is not None
    assert "cannot be read" in found.problem
    with pytest.raises(StoreError, match="cannot be read"):
        ask_about_file(tmp_path / "gone")


def test_fingerprints_fit_a_statement() -> None:
    from byline_ledger.content import read_work, work_fields
    from byline_ledger.crypto import SigningKey
    from byline_ledger.statement import sign_statement

    found = made(essay(1, 60_000).encode()).fingerprints
    assert isinstance(found, Fingerprints)
    fields = work_fields(
        about=digest_bytes(b"x"), time=1, salt=bytes(16), fingerprints=found
    )
    statement = sign_statement(fields, SigningKey.from_seed(bytes(32)))
    assert read_work(statement).fingerprints == found
    assert read_work(statement).problems == ()
