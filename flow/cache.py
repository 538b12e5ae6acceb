"""Where results that take long to make are kept, and how files are written whole or not at all."""

import os
from pathlib import Path


def cache_directory(kind):
    """Folder for cached results of one kind, made if needed; ``LITEFORMER_CACHE`` moves it from ``~/.cache/liteformer``."""
    path = Path(os.environ.get("LITEFORMER_CACHE", "~/.cache/liteformer")).expanduser() / kind
    path.mkdir(parents=True, exist_ok=True)
    return path


def write_atomically(path, content):
    """Write text or bytes to ``path`` by way of a temporary name beside it."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    temporary.replace(path)
