# SPDX-License-Identifier: BSD-2-Clause
"""The cache of results that take long to compute, and files written completely or not at all."""

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
def whole_directory(path, mark):
    """Yields a new folder next to ``path``; it is renamed on success and removed on an error.

    Args:
        path: may exist if it is empty or holds a file ``mark``, that is, if an earlier run has made it; it is then replaced.
    Raises:
        LiteFormerError: ``path`` is something else, which is not touched.
    """
    path = Path(path).resolve()
    if path.exists() and not (path.is_dir() and ((path / mark).is_file() or not any(path.iterdir()))):
        raise LiteFormerError(f"{path} exists and was not made by this command; name another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as temporary:
        fresh, old = Path(temporary) / "new", Path(temporary) / "old"
        fresh.mkdir()
        yield fresh
        if path.exists():
            path.rename(old)
        fresh.rename(path)
