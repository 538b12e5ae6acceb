"""Where results that take long to make are kept, and how files are written whole or not at all."""

import os
from pathlib import Path

from liteformer.soc.verilate import default_cache


def cache_directory(kind):
    """Folder for cached results of one kind, beside the cached simulators; made if needed."""
    path = default_cache() / kind
    path.mkdir(parents=True, exist_ok=True)
    return path


def write_atomically(path, content):
    """Write text or bytes to ``path`` by way of a temporary name beside it."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    temporary.replace(path)
