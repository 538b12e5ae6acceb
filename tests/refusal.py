# SPDX-License-Identifier: BSD-2-Clause
"""What bad input is answered with."""

import pytest

from liteformer.accel.errors import LiteFormerError


def refusal(action, *arguments):
    """The sentence with which ``action(*arguments)`` is refused; a test fails here if it is not."""
    with pytest.raises(LiteFormerError) as caught:
        action(*arguments)
    return str(caught.value)
