"""Multiplication in LUTs, written out so that no synthesizer spends a DSP block on it."""

from migen import *


def fabric_product(a, b):
    """Signed product ``a * b`` as a tree of shifted partial products, two bits of ``b`` an adder.

    Args:
        a, b: signed Signals, ``b`` preferably the narrower.
    Returns:
        signed expression; assign it to ``len(a) + len(b)`` bits.
    """
    total = None
    for low in range(0, len(b), 2):
        top  = min(low + 2, len(b)) - 1
        term = None
        for bit in range(low, top + 1):
            partial = Mux(b[bit], a << (bit - low) if bit > low else a, 0)
            if bit == len(b) - 1:
                term = -partial if term is None else term - partial
            else:
                term = partial if term is None else term + partial
        if low:
            term = term << low
        total = term if total is None else total + term
    return total
