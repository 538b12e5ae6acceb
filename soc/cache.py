# SPDX-License-Identifier: BSD-2-Clause
"""The folder where simulators, areas and changed sources are kept between calls."""

import os
from pathlib import Path

from liteformer.accel.errors import LiteFormerError

VARIABLE = "LITEFORMER_CACHE"


def default_cache():
    """The folder that the environment variable LITEFORMER_CACHE names, else ~/.cache/liteformer."""
    return Path(os.environ.get(VARIABLE) or Path.home() / ".cache" / "liteformer")


def cache_folder(*parts, root=None):
    """A folder of the cache, created if needed.

    Args:
        parts: names below the cache's own folder. root: instead of ``default_cache()``.
    Returns:
        Absolute Path.
    Raises:
        LiteFormerError: it cannot be written.
    """
    path = Path(root or default_cache()).resolve().joinpath(*parts)
    try:
        path.mkdir(parents=True, exist_ok=True)
        writable = os.access(path, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        raise LiteFormerError(f"the cache folder {path} cannot be written; set the environment variable {VARIABLE} to a folder "
                              "that can")
    return path
