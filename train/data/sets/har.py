# SPDX-License-Identifier: BSD-2-Clause
"""Activity recordings as their owners publish them: UCI-HAR (smartphones, v1) and WISDM (activity recognition, v1.1)."""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data import table
from liteformer.train.data.recordings import parts_by_group, starts_of
from liteformer.train.data.task_series import class_series

HAR_SIGNALS = [f"{signal}_{axis}" for signal in ("body_acc", "body_gyro", "total_acc") for axis in "xyz"]
HAR_ROWS = 128            # Rows of a UCI-HAR window: 2.56 s at 50 Hz.
WISDM_NAMES = ["x", "y", "z"]
WISDM_DAMAGED = 0.01      # Share of records that may be damaged; the published file has a few.


def load_har(options):
    """UCI-HAR: the directory with ``activity_labels.txt``, ``train`` and ``test``.

    Its windows of 128 rows are recordings of their own here, cut further where ``options.window`` is shorter. Test are the
    owners' test subjects, validation the last of their training subjects.
    """
    root = Path(options.path)
    if options.window > HAR_ROWS:
        raise LiteFormerError(f"window is {options.window}; UCI-HAR has windows of {HAR_ROWS} rows, choose at most that")
    names = _matrix(root / "activity_labels.txt", 2, text=True)
    numbers, classes = names[0].astype(int).tolist(), names[1].str.lower().tolist()
    parts = [_har_part(root, part) for part in ("train", "test")]
    values, labels, subjects = (np.concatenate(column) for column in zip(*parts))
    unknown = np.setdiff1d(labels, numbers)
    if len(unknown):
        raise LiteFormerError(f"{root} has activity {unknown[0]}, which activity_labels.txt does not name; copy it again")
    tested = np.arange(len(labels)) >= len(parts[0][1])
    part = parts_by_group(subjects, options, tested)
    values = values.reshape(-1, len(HAR_SIGNALS))
    index = np.array([numbers.index(label) for label in labels], np.float64)
    return class_series(options, values, HAR_SIGNALS, np.repeat(index, HAR_ROWS), classes, "activity",
                        follows=np.tile(np.arange(HAR_ROWS) > 0, len(labels)), parts=np.repeat(part, HAR_ROWS))


def _har_part(root, part):
    """``(values (windows, 128, signals), activity (windows,), subject (windows,))`` of "train" or "test"."""
    folder = root / part
    signals = [_matrix(folder / "Inertial Signals" / f"{name}_{part}.txt", HAR_ROWS) for name in HAR_SIGNALS]
    labels, subjects = (_matrix(folder / f"{name}_{part}.txt", 1)[0].to_numpy().astype(int) for name in ("y", "subject"))
    if len({len(column) for column in (*signals, labels, subjects)}) > 1:
        raise LiteFormerError(f"the files in {folder} differ in their number of windows; copy them again")
    return np.stack([signal.to_numpy(np.float64) for signal in signals], axis=2), labels, subjects


def _matrix(path, columns, text=False):
    """A file of numbers between blanks, as a DataFrame."""
    frame = table.read(path, sep=r"\s+", header=None)
    if frame.shape[1] != columns:
        raise LiteFormerError(f"{path} has {frame.shape[1]} columns instead of {columns}; copy it again")
    numbers = frame.iloc[:, :1] if text else frame
    bad = next((column for column in numbers if not pd.api.types.is_numeric_dtype(numbers[column])), None)
    if bad is not None or numbers.isna().any(axis=None):
        raise LiteFormerError(f"{path} holds something that is not a number; copy it again")
    return frame


def load_wisdm(options):
    """WISDM: ``WISDM_ar_v1.1_raw.txt``, or the directory it lies in; records ``user,activity,timestamp,x,y,z;``.

    Damaged records end a recording, as do a change of user or activity and a gap in time. Test are the last users.
    """
    path = Path(options.path)
    if path.is_dir():
        path = next(iter(sorted(path.glob("*_raw.txt"))), path / "WISDM_ar_v1.1_raw.txt")
    if not path.is_file():
        raise LiteFormerError(f"there is no file {path}; check --path")
    records = [record.strip().rstrip(",") for record in path.read_text(errors="replace").replace("\n", ";").split(";")]
    records = [record for record in records if record]
    whole = np.array([record.count(",") == 5 for record in records], bool)
    text = "\n".join(record for record, complete in zip(records, whole) if complete)
    frame = pd.read_csv(io.StringIO(text), header=None, names=["user", "activity", "time", *WISDM_NAMES]) if text else None
    if frame is not None:
        frame["position"] = np.flatnonzero(whole)
        for name in ("user", "time", *WISDM_NAMES):
            frame[name] = pd.to_numeric(frame[name], errors="coerce")
        frame = frame.dropna().reset_index(drop=True)
    damaged = len(records) - (0 if frame is None else len(frame))
    if damaged > WISDM_DAMAGED * len(records) or not records:
        raise LiteFormerError(f"{path}: {damaged} of {len(records)} records are not user,activity,timestamp,x,y,z; "
                              "check --path")
    steps = frame["time"].diff().to_numpy()
    usual = np.median(steps[1:][steps[1:] > 0]) if (steps[1:] > 0).any() else 0
    follows = (steps > 0) & (steps <= 1.5 * usual) & ~starts_of(frame["user"])
    follows[1:] &= np.diff(frame["position"]) == 1
    classes = sorted(frame["activity"].unique())
    labels = frame["activity"].map(classes.index).to_numpy(np.float64)
    return class_series(options, frame[WISDM_NAMES].to_numpy(np.float64), WISDM_NAMES, labels, classes, "activity",
                        follows=follows, parts=parts_by_group(frame["user"], options))
