# SPDX-License-Identifier: BSD-2-Clause
"""The built-in activities: acceleration and rotation of a body-worn sensor. Seeded, made by this project."""

import numpy as np

from liteformer.train.data.task_series import class_series

RATE = 10       # Rows per second.
SUBJECTS = 60
SECONDS = 12    # Of each activity of each subject.
NAMES = ["acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"]
CLASSES = ["lying", "standing", "walking", "upstairs", "downstairs", "running"]

# Steps per second, swing of acceleration (m/s2) and rotation (rad/s), forward lean (rad), share of the second harmonic.
_GAITS = {"walking": (1.8, 2.4, 0.9, 0.05, 0.35), "upstairs": (1.5, 2.2, 1.1, 0.22, 0.15),
          "downstairs": (1.9, 3.0, 1.0, -0.06, 0.65), "running": (2.6, 6.5, 1.8, 0.12, 0.30)}


def synthetic_activity(seed=20240711):
    """Every activity of every subject, one recording after the other.

    Subjects differ in pace, vigour and sensor position, and a recording begins anywhere in a stride: a single row has
    little information, the course over a second has much.

    Args:
        seed: of NumPy's generator.
    Returns:
        ``(values, labels, subjects)``: float64 ``(rows, 6)`` in m/s2 and rad/s; int64 ``(rows,)``, index into CLASSES; int64
        ``(rows,)``. A subject's recordings are contiguous, in varying order.
    """
    rng = np.random.default_rng(seed)
    parts = [_recording(rng, name, body) + (np.full(RATE * SECONDS, subject),)
             for subject in range(SUBJECTS) for body in [_body(rng)] for name in rng.permutation(CLASSES)]
    return tuple(np.concatenate(column) for column in zip(*parts))


def load_activity(options):
    """Series of the built-in activities, divided by subject."""
    values, labels, subjects = synthetic_activity()
    return class_series(options, values, NAMES, labels.astype(np.float64), CLASSES, "activity", groups=subjects)


def _body(rng):
    return {"pace": rng.normal(1, 0.07), "vigour": rng.lognormal(0, 0.15), "tilt": rng.normal(0, 0.10, 3)}


def _recording(rng, name, body):
    rows = RATE * SECONDS
    wander = _smooth(rng, rows, 0.97, 3)
    if name in _GAITS:
        pace, swing, turn, lean, double = _GAITS[name]
        pace = pace * body["pace"] * (1 + 0.05 * _smooth(rng, rows, 0.9, 1)[:, 0])
        phase = 2 * np.pi * (rng.random() + np.cumsum(pace) / RATE)
        swing, turn = swing * body["vigour"], turn * body["vigour"]
        step = np.sin(phase) + double * np.sin(2 * phase + 0.6)
        acceleration = np.stack([0.5 * swing * np.sin(phase + 1.1), 0.4 * swing * np.sin(phase / 2), swing * step], axis=1)
        rotation = turn * np.stack([np.sin(phase / 2 + 0.4), 0.7 * np.sin(phase), 0.4 * np.sin(phase / 2)], axis=1)
        angle = np.array([lean, 0, 0]) + body["tilt"] + 0.08 * wander
    else:
        acceleration = rotation = np.zeros((rows, 3))
        angle = body["tilt"] + 0.10 * wander + (np.array([1.45, 0.25, 0]) if name == "lying" else 0)
    gravity = 9.81 * np.stack([np.sin(angle[:, 0]), np.sin(angle[:, 1]) * np.cos(angle[:, 0]),
                               np.cos(angle[:, 0]) * np.cos(angle[:, 1])], axis=1)
    noise = rng.normal(0, 1, (rows, 6)) * [0.5, 0.5, 0.5, 0.15, 0.15, 0.15]
    return np.concatenate([gravity + acceleration, rotation], axis=1) + noise, np.full(rows, CLASSES.index(name))


def _smooth(rng, rows, keep, columns):
    """First-order autoregressive noise of unit variance, ``(rows, columns)``."""
    noise, state = rng.normal(0, np.sqrt(1 - keep ** 2), (rows, columns)), rng.normal(0, 1, columns)
    for t in range(rows):
        state = keep * state + noise[t]
        noise[t] = state
    return noise
