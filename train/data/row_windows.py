# SPDX-License-Identifier: BSD-2-Clause
"""Files with a window in each row, such as one heartbeat: cells in time, one of them the class."""

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.labels import class_labels
from liteformer.train.data.prepare import prepare
from liteformer.train.data.task_series import class_series

FEATURE = "signal"


def load_rows(options):
    """Series of the cells of all rows, one after the other; no window spans two rows.

    Args:
        options: TrainOptions; ``label`` is the column of classes, ``features`` are the cells in time, all others if None.
    Returns:
        Series with the feature "signal".
    Raises:
        LiteFormerError: bad file, no such column, or another window than the cells of a row; one sentence.
    """
    data = prepare(options)
    table = data.table
    labels, classes = class_labels(table.cells(options.label), options.label, table.notes)
    names = options.features or [
        name for name, column in table.columns.items() if name != options.label and column.values is not None
    ]
    if options.window != len(names):
        raise LiteFormerError(
            f"{table.path} has {len(names)} cells of a window in a row, and window is {options.window}; choose "
            f"--window {len(names)}, or name as many columns with --features"
        )
    values = data.numbers(names)
    steps = len(names)
    series = class_series(
        options.model_copy(update={"features": None, "window_stride": steps}),
        values.reshape(-1, 1),
        [FEATURE],
        np.repeat(labels, steps),
        classes,
        options.label,
        follows=np.tile(np.arange(steps) > 0, len(values)),
    )
    return type(series)(**vars(series) | {"notes": table.notes.texts})
