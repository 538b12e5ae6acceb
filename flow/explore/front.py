# SPDX-License-Identifier: BSD-2-Clause
"""The Pareto front of an exploration, its knee, and its file."""

import math

from liteformer.accel.errors import LiteFormerError

KNEE = "knee"


def dominates(a, b):
    """True if point ``a`` is nowhere worse than ``b`` and somewhere better; sequences of figures, smaller is better."""
    return all(x <= y for x, y in zip(a, b)) and any(x < y for x, y in zip(a, b))


def front_of(rows, columns):
    """Rows that no other row dominates, the best of the first objective first; the first of equal ones.

    Args:
        rows: of ``Exploration.rows``; those without all the figures are left out. columns: of the objectives.
    """
    values = {}
    for row in rows:
        if row["state"] == "ok" and all(row["figures"].get(name) is not None for name in columns):
            values.setdefault(tuple(row["figures"][name] for name in columns), row)
    best = [key for key in values if not any(dominates(other, key) for other in values)]
    return [values[key] for key in sorted(best)]


def knee(front, columns):
    """The row of a front nearest to the corner of all best figures; each objective counts from its best on the front, 0, to its
    worst, 1, on a logarithmic scale, because halving has the same value anywhere. A figure of 0 counts as half the least other.

    >>> rows = [{"figures": {"a": a, "b": b}} for a, b in ((1, 100), (2, 2), (100, 1))]
    >>> knee(rows, ("a", "b"))["figures"]
    {'a': 2, 'b': 2}
    """
    least = {name: min((value for row in front if (value := row["figures"][name]) > 0), default=1) / 2 for name in columns}
    logs = [[math.log(max(row["figures"][name], least[name])) for name in columns] for row in front]
    ends = [(min(axis), max(axis)) for axis in zip(*logs)]

    def distance(row):
        return sum(((value - low) / (high - low or 1)) ** 2 for value, (low, high) in zip(row, ends))

    return front[min(range(len(front)), key=lambda index: distance(logs[index]))]


def pick(front, which, objectives, columns):
    """A row of the front: ``knee``, the best of an objective, or the trial of a number.

    Raises:
        LiteFormerError: the front is empty, or has no such row.
    """
    if not front:
        raise LiteFormerError("no point of this exploration fits the device yet; explore more --trials or a wider space")
    if which == KNEE:
        return knee(front, columns)
    if which in objectives:
        return min(front, key=lambda row: row["figures"][columns[objectives.index(which)]])
    for row in front:
        if str(row["number"]) == which:
            return row
    raise LiteFormerError(f"--pick {which} is not a point of the front; choose one of {KNEE}, {', '.join(objectives)} or a "
                          "trial: " + ", ".join(str(row["number"]) for row in front))


def as_csv(front, rows, columns):
    """All evaluated trials as the text of a CSV file: number, state, front (1 on the front), point, figures, reason."""
    import pandas
    on_front = {row["number"] for row in front}
    order = {row["number"]: place for place, row in enumerate(front)}
    ordered = sorted(rows, key=lambda row: (order.get(row["number"], len(order)), row["number"]))
    table = pandas.DataFrame([{"number": row["number"], "state": row["state"], "front": int(row["number"] in on_front)}
                              | {name: row["figures"].get(name) for name in columns} | row["point"]
                              | {name: value for name, value in row["figures"].items() if name not in columns}
                              | {"reason": row["reason"]} for row in ordered])
    return table.to_csv(index=False)
