# SPDX-License-Identifier: BSD-2-Clause
"""The bytes of a file, unpacked, and the encoding of their text."""

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path

from charset_normalizer import from_bytes

from liteformer.accel.errors import LiteFormerError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
PACKED = ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7zXZ\x00", lzma.decompress))
# What sensors' names and units hold; a short text does not tell code pages apart otherwise.
WESTERN = set("°µ²³¹±½¼¾·×ΩäöüßéèêëàâáãåæçîïíìôóòõøœùûúñÄÖÜÉÈÊËÀÂÁÃÅÆÇÎÏÍÌÔÓÒÕØŒÙÛÚÑ€£§«»‰–—’‘“”…\u00a0")
SAMPLE = 1 << 16


def read_bytes(path):
    """Content of a file; compressed ones (gzip, bzip2, xz, a zip of one file) are unpacked, a workbook is not.

    Raises:
        LiteFormerError: no such file, empty, damaged, or a zip of several files.
    """
    path = Path(path)
    if not path.is_file():
        raise LiteFormerError(f"there is no file {path}; check --path")
    data = path.read_bytes()
    try:
        for magic, unpack in PACKED:
            if data.startswith(magic):
                data = unpack(data)
        if data.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if "xl/workbook.xml" in archive.namelist():
                    return data
                names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
                if len(names) != 1:
                    raise LiteFormerError(f"{path} holds {len(names)} files; unpack it and name one with --path")
                data = archive.read(names[0])
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise LiteFormerError(f"{path} cannot be unpacked ({error}); copy it again") from None
    if not data.strip():
        raise LiteFormerError(f"{path} is empty; check --path")
    return data


def find_encoding(data, path, rules, notes):
    """Name of the codec of a text.

    Args:
        data: bytes; path: their file, for errors; rules: Rules; notes: Notes.
    Raises:
        LiteFormerError: no text, or not in the encoding that the rules name.
    """
    if rules.encoding:
        try:
            data.decode(rules.encoding)
        except LookupError:
            raise no_encoding(rules.encoding) from None
        except UnicodeDecodeError:
            raise LiteFormerError(f"{path} is not text in {rules.encoding}; name another with --encoding") from None
        # A mark is no part of the first name.
        plain = codecs.lookup(rules.encoding).name
        return "utf-8-sig" if plain == "utf-8" and data.startswith(codecs.BOM_UTF8) else rules.encoding
    for mark, name in MARKS:
        if data.startswith(mark):
            return _checked(data, name, path)
    head = data[:SAMPLE]
    if b"\x00" in head:
        wide = next(
            (name for name, part in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])) if part.count(0) > 0.9 * len(part)),
            None,
        )
        if wide is None:
            raise LiteFormerError(f"{path} is not a text file; check --path, or name its encoding with --encoding")
        notes.add(f"the text has no mark of its encoding and is read as {wide}; --encoding names another")
        return _checked(data, wide, path)
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError as error:
        name = _single_byte(data, error.start)
    notes.add(f"the text is not UTF-8 and is read as {name}; --encoding names another")
    return name


def no_encoding(name):
    """LiteFormerError on a name that is none of an encoding."""
    return LiteFormerError(f"there is no encoding {name!r}; choose one of Python's, such as --encoding utf-8 or latin-1")


def _checked(data, name, path):
    try:
        data.decode(name)
    except UnicodeDecodeError:
        raise LiteFormerError(
            f"{path} begins as {name}, but is not; name its encoding with --encoding or copy it again"
        ) from None
    return name


def _single_byte(data, start):
    """Codec of a text of one byte a character, from what surrounds its first such byte at ``start``."""
    sample = data[max(start - SAMPLE // 2, 0) : start + SAMPLE]
    high = (
        bytes(sorted({byte for byte in data if byte > 127}))
        if len(data) < 1 << 22
        else bytes(sorted({byte for byte in sample if byte > 127}))
    )
    try:
        if set(high.decode("cp1252")) <= WESTERN:
            return "cp1252"
    except UnicodeDecodeError:
        pass
    best = from_bytes(sample).best()
    if best is not None:
        try:
            data.decode(best.encoding)
            return best.encoding
        except UnicodeDecodeError:
            pass
    return "latin-1"
