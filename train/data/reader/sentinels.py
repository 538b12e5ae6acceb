# SPDX-License-Identifier: BSD-2-Clause
"""Numbers that stand for a missing value: far outside, frequent, always the same."""

import numpy as np

CODES = frozenset(
    (
        -9,
        -99,
        -99.9,
        -99.99,
        -100,
        -200,
        -555,
        -777,
        -888,
        -999,
        -999.9,
        -999.99,
        -7999,
        -8888,
        -9999,
        -9999.9,
        -99999,
        -999999,
        -32768,
        9999,
        99999,
        999999,
        32767,
        65535,
        1e20,
        -1e20,
        1e36,
        -1e36,
    )
)
STRONG = frozenset((-999, -999.9, -999.99, -9999, -9999.9, -9999.99, -99999, -999999))  # Codes of which one cell is enough.
FEWEST = 3  # Cells; a single one may be a fault of the sensor.
FAR = 2.0  # Distance from the other values, in units of their range without the outermost hundredth on both sides.
NEAR = 0.1  # The same for a code that is known or that another column has.
VALUES = 8  # Different other values that tell a measurement from a state such as on and off.


def find_sentinels(columns):
    """Values that are taken as missing.

    Args:
        columns: dict name -> float64 ``(rows,)``, NaN where missing.
    Returns:
        dict name -> dict value -> ``(count, reason)``; names without one are left out.
    """
    found, ends = {}, {name: _ends(values) for name, values in columns.items()}
    for name, candidates in ends.items():
        for value, count, distance, low, high in candidates:
            telling = value in CODES or (value < 0 <= low) or abs(value) >= 10 * max(abs(low), abs(high), 1e-9)
            if value and telling and distance >= FAR and count >= FEWEST:
                found.setdefault(name, {})[value] = (count, f"it is far outside {low:g} to {high:g}")
    shared = {value for values in found.values() for value in values}
    for name, candidates in ends.items():
        for value, count, distance, low, high in candidates:
            if value in STRONG and value < -10 * max(abs(low), abs(high)) and value not in found.get(name, {}):
                found.setdefault(name, {})[value] = (count, f"it is a usual code and far outside {low:g} to {high:g}")
            known = value in shared or (value in CODES and abs(value) > 99)
            if known and value not in found.get(name, {}) and distance >= NEAR and count >= (1 if value in shared else FEWEST):
                why = "other columns have it too" if value in shared else "it is a usual code"
                found.setdefault(name, {})[value] = (count, f"{why} and it is outside {low:g} to {high:g}")
    return found


def _ends(values):
    """``(value, count, distance, low, high)`` of the smallest and the largest value; distance from the others, whose range is
    low to high, in units of their usual range; 0 where they are too few different ones for a measurement."""
    known = values[np.isfinite(values)]
    if len(known) < 2 * FEWEST:
        return []
    result = []
    for value in (known.min(), known.max()):
        others = known[known != value]
        if len(others) < FEWEST:
            continue
        low, high = others.min(), others.max()
        usual = np.subtract(*np.percentile(others, (99, 1)))
        gap = low - value if value < low else value - high
        measured = usual > 0 and len(np.unique(others[:10000])) >= VALUES
        result.append(
            (float(value), int(len(known) - len(others)), float(gap / usual) if measured else 0.0, float(low), float(high))
        )
    return result
