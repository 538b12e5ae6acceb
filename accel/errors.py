# SPDX-License-Identifier: BSD-2-Clause
"""The one exception type for bad input: its text is a sentence a user can act on."""


class LiteFormerError(Exception):
    """Bad input, a missing tool or a model that does not fit; the command line prints it and exits with 2."""


class DoesNotFit(LiteFormerError):
    """The design is too large for the memory it has: another model may fit."""
