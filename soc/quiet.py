# SPDX-License-Identifier: BSD-2-Clause
"""Keeps LiteX's log off the terminal while a SoC is built."""

import contextlib
import logging


@contextlib.contextmanager
def quiet():
    """Within the context only errors are logged, and LiteX does not install its own log handler."""
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
