# SPDX-License-Identifier: BSD-2-Clause
"""Keeps LiteX's log off the terminal while a SoC is built."""

import contextlib
import logging
import os


@contextlib.contextmanager
def quiet():
    """Within the context only errors are logged, and LiteX does not install its own log handler.

    With LITEFORMER_LOG=1 in the environment LiteX logs as it always does: bus, memory map, interrupts.
    """
    if os.environ.get("LITEFORMER_LOG") == "1":
        yield
        return
    root = logging.getLogger()
    handler = logging.NullHandler()
    before = logging.root.manager.disable
    root.addHandler(handler)
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
        root.removeHandler(handler)
