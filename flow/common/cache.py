# SPDX-License-Identifier: BSD-2-Clause
"""The cache of results that take long to compute, and files written completely or not at all."""

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.soc.cache import cache_folder


def cache_directory(kind):
    """Folder for cached results of one kind, next to the cached simulators; created if needed."""
    return cache_folder(kind)


@contextmanager
def whole_file(path):
    """Yields a temporary name next to ``path``; the file is renamed on success and removed on an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path, content):
    """Write text or bytes to ``path``, completely or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def whole_directory(path, mark, command, lost=()):
    """Yields a new folder next to ``path``; it is renamed on success and removed on an error.

    The caller writes a JSON file ``mark`` into it; ``command`` and the names of all files are added to it.

    Args:
        path: may exist if it is empty, or if ``mark`` says that ``command`` has made all that is in it; it is then replaced.
        command: as users call it. lost: patterns of the command's own files that it must not lose either.
    Raises:
        LiteFormerError: ``path`` is or holds something else, which is not touched.
    """
    path = Path(path).resolve()
    check_replaceable(path, mark, command, lost)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as temporary:
        fresh = Path(temporary) / "new"
        fresh.mkdir()
        yield fresh
        record_files(fresh, mark, command)
        replace_directory(fresh, path)


def replace_directory(fresh, path):
    """Rename the folder ``fresh`` to ``path``, next to it, in place of what is there."""
    path = Path(path).resolve()
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as temporary:
        if path.exists():
            path.rename(Path(temporary) / "old")
        Path(fresh).rename(path)


def record_files(folder, mark, command):
    """Add the command and the names of all files in a folder to its ``mark``."""
    path = Path(folder) / mark
    record = json.loads(path.read_text()) | {"command": command, "files": file_names(folder)}
    write_atomically(path, json.dumps(record, indent=4) + "\n")


def file_names(folder):
    """Names of all files and links below a folder, relative to it, sorted; ``obj_dir``, which Verilator makes, is left out."""
    paths = (path for path in Path(folder).rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(str(name) for name in (path.relative_to(folder) for path in paths) if "obj_dir" not in name.parts)


def check_replaceable(path, mark, command, lost=()):
    """Raises LiteFormerError if ``whole_directory`` with these arguments would refuse the folder."""
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    try:
        record = json.loads((path / mark).read_text())
        made, own = record["command"], set(record["files"])
    except (OSError, ValueError, KeyError, TypeError):
        made = None
    if made != command:
        by = f"by {made}" if isinstance(made, str) else "by this command"
        raise LiteFormerError(f"{path} exists and was {'' if isinstance(made, str) else 'not '}made {by}; name another folder")
    foreign = [name for name in file_names(path) if name not in own or any(Path(name).match(one) for one in lost)]
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise LiteFormerError(f"{path} holds {foreign[0]}{more}, which {command} would delete and not write again; move it "
                              "away or name another folder")
