# SPDX-License-Identifier: BSD-2-Clause
"""A plant's series and a model of it, for the tests of `liteformer run`."""

from dataclasses import replace

import numpy as np
import pandas as pd

from liteformer.accel import golden
from liteformer.accel.model import AnomalySettings
from liteformer.accel.random_model import random_model

FEATURES = ["power", "wind", "hour"]
TRAINED = {"data": "csv", "task": "forecast", "path": "plant.csv", "target": ["power"], "features": FEATURES, "window": 4}


def model_for(task="forecast", **options):
    """A random model with names, scales and a training's options."""
    outputs = {"forecast": 1, "classification": 3, "anomaly": 2}[task]
    model = random_model(np.random.default_rng(5), window=4, features=3, d_model=8, bits=4, outputs=outputs)
    fields = {"task": task, "feature_names": FEATURES, "raw_scale": [4.0, 16.0, 1.0], "output_scale": [4.0] * outputs}
    if task == "forecast":
        fields |= {"target_names": ["power"], "target_features": [0]}
    elif task == "classification":
        fields |= {"class_names": ["idle", "run", "stop"], "target_features": []}
        options = {"target": None, "label": "kind"} | options
    else:
        fields |= {"target_names": ["power", "wind"], "target_features": [0, 1], "output_scale": [4.0, 16.0],
                   "anomaly": AnomalySettings(shifts=[0, 0], gains=[1, 0], smoothing=2, threshold=40_000)}
        options = {"target": None, "label": "fault"} | options
    options = TRAINED | {"task": task, "horizon": None, "test_fraction": 0.2, "validation_fraction": 0.15} | options
    return replace(model, config=type(model.config)(**model.config.model_dump() | fields), provenance={"options": options})


def write_plant():
    """Write plant.csv into the working directory: 60 rows, other columns between, a hole in row 20; the frame."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"hour": np.arange(60) % 24, "note": ["x"] * 60, "power": rng.normal(50, 20, 60).round(2),
                          "wind": rng.normal(8, 3, 60).round(3), "kind": rng.choice(["idle", "run", "stop"], 60),
                          "fault": rng.integers(0, 2, 60)})
    frame.loc[20, "wind"] = np.nan
    frame.to_csv("plant.csv", index=False)
    return frame


def expected(model, frame, starts):
    """Golden outputs int64 ``(windows, outputs)`` of the windows that begin in these rows."""
    raw = np.floor(frame[FEATURES].fillna(0).to_numpy() * model.config.raw_scale + 0.5).astype(np.int64)
    return golden.infer(model, np.stack([raw[start:start + 4] for start in starts]))
