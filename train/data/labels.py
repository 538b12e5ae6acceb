# SPDX-License-Identifier: BSD-2-Clause
"""Cells of a label column as classes or anomalies, as people write them."""

from collections import Counter

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError

NORMAL = frozenset(
    (
        "normal",
        "nominal",
        "ok",
        "okay",
        "no",
        "n",
        "false",
        "f",
        "none",
        "good",
        "healthy",
        "benign",
        "regular",
        "usual",
        "clean",
        "pass",
        "passed",
        "inlier",
        "background",
        "baseline",
        "no fault",
        "no anomaly",
        "non-anomaly",
        "not anomaly",
        "no_anomaly",
        "gut",
        "0",
        "0.0",
    )
)
ANOMALOUS = frozenset(
    (
        "anomaly",
        "anomalous",
        "abnormal",
        "anormal",
        "outlier",
        "yes",
        "y",
        "true",
        "t",
        "fault",
        "faulty",
        "fail",
        "failed",
        "failure",
        "attack",
        "bad",
        "alarm",
        "error",
        "defect",
        "broken",
        "malicious",
        "1",
        "1.0",
    )
)


def class_name(value):
    """Name of the class that a cell holds, the same whether its column is of whole numbers or not.

    >>> [class_name(value) for value in (1000001.0, 2.5, 7, "idle")]
    ['1000001', '2.5', '7', 'idle']
    """
    exact = isinstance(value, float) and np.isfinite(value)
    return np.format_float_positional(value, trim="-") if exact else str(value)


def class_key(value):
    """What two cells of the same class have in common: without case and blanks around.

    >>> class_key("Walking ") == class_key("walking"), class_key(2.0) == class_key("2")
    (True, True)
    """
    return class_name(value).strip().casefold()


def class_labels(cells, name, notes):
    """Classes of a column; names that differ in case or in blanks around are one.

    Args:
        cells: pandas Series; name: of the column; notes: Notes.
    Returns:
        ``(labels, classes)``: float64 ``(rows,)``, index into classes, NaN where a cell is empty; names, each as most of its
        cells have it, numbers in order, then words.
    Raises:
        LiteFormerError: only one name is left.
    """
    codes, unique = pd.factorize(cells)
    count = np.bincount(codes[codes >= 0], minlength=len(unique))
    written = {}
    for value, number in zip(unique, count):
        written.setdefault(class_key(value), Counter())[class_name(value)] += int(number)
    spelled = [f"{', '.join(map(repr, spellings))} are one class" for spellings in written.values() if len(spellings) > 1]
    if spelled and len(written) == 1:
        raise LiteFormerError(
            f"label column {name!r} holds one class only, without case and blanks: {spelled[0]}; a classification "
            "needs at least two"
        )
    for text in spelled:
        notes.add(f"label column {name!r}: {text}")
    plain = sorted(
        {class_key(value): value for value in unique}.items(),
        key=lambda entry: (isinstance(entry[1], str), entry[1] if not isinstance(entry[1], str) else entry[0]),
    )
    order = [key for key, _ in plain]
    classes = [written[key].most_common(1)[0][0].strip() for key in order]
    index = np.array([order.index(class_key(value)) for value in unique] + [np.nan], np.float64)
    return index[codes], classes


def anomaly_labels(table, name):
    """Labels of anomalies of a Table's column.

    Args:
        table: Table; name: of the column.
    Returns:
        float64 ``(rows,)``: 1 for an anomaly, 0 for none, NaN where the cell is empty.
    Raises:
        LiteFormerError: no such column, labels that do not say which is normal.
    """
    return flags(table.cells(name), name, table.path, table.first_row, table.notes)


def flags(cells, name, path, first_row, notes=None):
    """The same of cells as pandas Series; first_row: lines before the first one."""
    codes, unique = pd.factorize(cells)
    keys = [class_key(value) for value in unique]
    kinds = set(keys)
    values, said = _values(kinds, keys, np.bincount(codes[codes >= 0], minlength=len(keys)))
    if values is None:
        bad = next((row for row, code in enumerate(codes) if code >= 0 and keys[code] not in NORMAL | ANOMALOUS), 0)
        raise LiteFormerError(
            f"{path}, row {bad + first_row + 1}, column {name!r} holds {class_name(cells.iloc[bad])!r}; an anomaly "
            "label is 1, a normal one 0"
        )
    if said and notes is not None:
        listed = {number: [repr(word) for word in sorted(kinds) if values[word] == number] for number in (0, 1)}
        notes.add(
            f"label column {name!r}: {' and '.join(listed[0])} {'is' if len(listed[0]) == 1 else 'are'} normal, "
            f"{' and '.join(listed[1])} {'is' if len(listed[1]) == 1 else 'are'} anomalous"
        )
    return np.array([values[key] for key in keys] + [np.nan], np.float64)[codes]


def _values(kinds, keys, count):
    """``(dict key -> 0 or 1, whether it is a guess)``; None where the labels do not say which is which."""
    if kinds <= {"0", "1"}:
        return {key: int(key) for key in kinds}, False
    if kinds == {"-1", "1"}:
        # The rarer one: some programs write -1 for an anomaly, others for normal.
        total = dict(zip(keys, count))
        anomaly = "-1" if total["-1"] <= total["1"] else "1"
        return {key: int(key == anomaly) for key in kinds}, True
    normal, anomalous = kinds & NORMAL, kinds & ANOMALOUS
    numbers = any(_is_number(key) for key in kinds)
    if kinds <= NORMAL | ANOMALOUS:
        return {key: int(key in anomalous) for key in kinds}, False
    if not numbers and normal:
        return {key: int(key not in normal) for key in kinds}, True
    if not numbers and anomalous and len(kinds) == 2:
        return {key: int(key in anomalous) for key in kinds}, True
    return None, False


def _is_number(key):
    try:
        float(key)
    except ValueError:
        return False
    return True
