"""Multiplication in LUTs, written out so that no synthesizer spends a DSP block on it."""

from migen import *

from liteformer.accel import numerics


def fabric_product(module, a, b):
    """Signed product ``a * b`` as a tree of shifted partial products, two bits of ``b`` an adder.

    Args:
        module: receives the combinational statements; a, b: signed Signals, ``b`` preferably the narrower.
    Returns:
        signed Signal of ``len(a) + len(b)`` bits.
    """
    terms = []
    for low in range(0, len(b), 2):
        lo, hi = 0, 0
        for bit in range(low, min(low + 2, len(b))):
            weight = (-1 if bit == len(b) - 1 else 1) << (bit - low)
            lo, hi = lo + min(weight, 0), hi + max(weight, 0)
        peak = 1 << (len(a) - 1)
        span = peak * max(hi, -lo)
        term = Signal((numerics.signed_bits(-span, span), True))
        partial = _gated(module, a, b[low], negative=low == len(b) - 1)
        if low + 1 < len(b):
            upper = _gated(module, a, b[low + 1])
            doubled = Signal((len(a) + 1, True))
            module.comb += [
                doubled.eq(Cat(Constant(0, 1), upper)),
                term.eq(partial - doubled if low + 1 == len(b) - 1 else partial + doubled),
            ]
        else:
            module.comb += term.eq(partial)
        shifted = Signal((len(term) + low, True))
        module.comb += shifted.eq(Cat(Constant(0, low), term) if low else term)
        terms.append(shifted)
    product = Signal((len(a) + len(b), True))
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    module.comb += product.eq(total)
    return product


def _gated(module, a, enable, negative=False):
    """``a`` or its negative where ``enable`` is set, else zero."""
    value = Signal((len(a) + 1, True))
    module.comb += If(enable, value.eq(-a if negative else a))
    return value
