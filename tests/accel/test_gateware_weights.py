# SPDX-License-Identifier: BSD-2-Clause
"""Weight streams: every word of every address, in block RAM, in spare bits, in LUTs and in mixtures."""

import random

import pytest

from liteformer.accel.compiler.memories import StreamPlan
from liteformer.accel.gateware.weights import WeightStream

from .common import simulate


@pytest.mark.parametrize("depth, width, plan, options, latency", [
    (600, 30, StreamPlan(1, 512, 6), {}, 3),                   # Spare bits of one unit, the rest of the words in LUTs.
    (1700, 40, StreamPlan(3, 512, 32), {}, 3),                 # A whole word in the spare bits.
    (1400, 132, StreamPlan(2, 512, 12), {}, 3),                # Spare words partly in LUTs, which have several banks.
    (3300, 40, StreamPlan(4, 512, 32), {}, 3),                 # Three words and a fifth of one in the spare bits.
    (2400, 20, StreamPlan(3, 512, 16), {}, 3),                 # Two words in the spare bits, of which the second is not whole.
    (700, 24, StreamPlan(0, 512, 0), {}, 3),                   # All in LUTs.
    (700, 24, StreamPlan(0, 512, 0), {"direct": True}, 2),
    (1, 9, StreamPlan(0, 512, 0), {"direct": True}, 2),
], ids=str)
def test_every_word(depth, width, plan, options, latency):
    rng = random.Random(1)
    words = [rng.getrandbits(width) for _ in range(depth)]
    stream, got = WeightStream(width, words, plan, **options), []

    def bench():
        for address in [*range(depth), *[0] * latency]:
            yield stream.address.eq(address)
            yield
            got.append((yield stream.data))

    simulate(stream, bench())
    assert got[latency:] == words
