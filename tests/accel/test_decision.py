# SPDX-License-Identifier: BSD-2-Clause
"""What a task adds to the model file, and the Python side of the device's decisions; tests/soc compares it with the C side."""

import numpy as np
import pytest
from pydantic import ValidationError
from safetensors import safe_open

from liteformer.accel import ModelConfig, QuantizedModel, calibration, decision
from liteformer.accel.random_model import random_model, uniform_bits

CONFIG = {"window": 3, "features": 2, "outputs": 2, "d_model": 4, "ffn": 8, "bits": uniform_bits(1, 4), "raw_scale": [8.0, 2.0],
          "output_scale": [2.0, 2.0]}
ANOMALY = {"task": "anomaly", "target_features": [0, 1],
           "anomaly": {"shifts": [2, 0], "gains": [0, 1], "smoothing": 3, "threshold": 100}}
CLASSES = {"task": "classification", "class_names": ["a", "b"]}


@pytest.mark.parametrize("changes, message", [
    (CLASSES | {"class_names": ["a"]}, "class_names must name every output of a classification, and nothing else"),
    ({"class_names": ["a", "b"]}, "class_names must name every output of a classification, and nothing else"),
    (CLASSES | {"output_scale": [2.0, 4.0]}, "a classification needs one output_scale for all logits and no skip"),
    (CLASSES | {"skip": "persistence", "target_features": [0, 1]},
     "a classification needs one output_scale for all logits and no skip"),
    ({"task": "anomaly"}, "the settings named anomaly belong to the task anomaly"),
    ({"anomaly": ANOMALY["anomaly"]}, "the settings named anomaly belong to the task anomaly"),
    (ANOMALY | {"target_features": []}, "an anomaly model needs every target among the features, with a shift and a gain"),
    (ANOMALY | {"anomaly": ANOMALY["anomaly"] | {"gains": [1]}},
     "an anomaly model needs every target among the features, with a shift and a gain"),
    (ANOMALY | {"anomaly": ANOMALY["anomaly"] | {"shifts": [1, 0]}},
     "the shifts of an anomaly model must be the quotients of raw_scale and output_scale"),
])
def test_settings_that_do_not_fit(changes, message):
    with pytest.raises(ValidationError, match=message):
        ModelConfig(**CONFIG | changes)


@pytest.mark.parametrize("name, value", [("gains", [8, 0]), ("shifts", [25, 0]), ("smoothing", 7), ("threshold", 1 << 31),
                                         ("calibration", 9), ("level", 1 << 31)])
def test_settings_out_of_range(name, value):
    ModelConfig(**CONFIG | ANOMALY)
    with pytest.raises(ValidationError):
        ModelConfig(**CONFIG | ANOMALY | {"anomaly": ANOMALY["anomaly"] | {name: value}})


@pytest.mark.parametrize("task", [CLASSES, ANOMALY])
def test_task_is_stored_and_part_of_the_id(tmp_path, task):
    made = random_model(np.random.default_rng(1), window=3, features=2, outputs=2, d_model=4, bits=4)
    plain = ModelConfig(**made.config.model_dump() | {name: CONFIG[name] for name in ("raw_scale", "output_scale")})
    model, forecast = (QuantizedModel(config, made.tensors) for config in (ModelConfig(**plain.model_dump() | task), plain))
    model.save(tmp_path / "model.safetensors")
    assert QuantizedModel.load(tmp_path).config == model.config
    assert model.id != forecast.id


def test_continues():
    rows = np.arange(16).reshape(8, 2)
    raw = np.stack([rows[0:3], rows[1:4], rows[2:5], rows[4:7], rows[5:8], rows[5:8]])
    assert decision.continues(raw).tolist() == [False, True, True, False, True, False]
    assert decision.continues(raw[:0]).tolist() == []


def test_score_by_hand():
    """Forecasts 10 and 4 at scale 2; the row that arrives counts at scales 8 and 2."""
    config = ModelConfig(**CONFIG | ANOMALY)
    rows = np.array([[0, 0], [0, 0], [0, 0], [36, 9], [0, 0]])
    raw = np.stack([rows[0:3], rows[1:4], rows[2:5], rows[0:3]])
    outputs = np.array([[10, 4], [5, 5], [0, 0], [0, 0]])
    # Errors 10 - 36/4 = 1 and 9 - 4 = 5, the latter doubled: 11. Then 5 and twice 5 on top of 11 - 11/8.
    assert decision.decide(config, outputs, raw).tolist() == [[0, 0], [11, 0], [25, 0], [0, 0]]
    lower = config.model_copy(update={"anomaly": config.anomaly.model_copy(update={"threshold": 11})})
    assert decision.decide(lower, outputs, raw)[:, 1].tolist() == [0, 0, 1, 0]


def test_calibration_by_hand():
    """Two rows teach the mean residual, two the distance from it, which gives the shifts."""
    residuals = np.array([[4, -3], [6, -6], [7, -5], [0, -12], [9, -5], [5, 3], [5, -5]])
    follows = np.array([True] * 6 + [False])
    errors, done = calibration.scored(residuals, follows, 1, 20)
    # Means 5 and -9 >> 1 = -5; distances 2 + 5 = 7 <= 20 >> 1 and 0 + 7 <= 20 >> 1, neither <= 20 >> 2.
    assert errors.tolist() == [[0, 0]] * 4 + [[8, 0], [0, 16], [0, 0]]
    assert done.tolist() == [False] * 4 + [True, True, False]
    assert calibration.scored(residuals, follows, 1, 28)[0].tolist()[4:6] == [[16, 0], [0, 32]]
    assert calibration.scored(residuals, follows, 1, 13)[0].tolist()[4:6] == [[4, 0], [0, 8]]


def test_a_calibrated_model_needs_its_version(tmp_path):
    """Earlier readers refuse it by the version; a model without calibration is written as before."""
    made = random_model(np.random.default_rng(1), window=3, features=2, outputs=2, d_model=4, bits=4)
    scales = {name: CONFIG[name] for name in ("raw_scale", "output_scale")}
    for learned, version in (({}, "1"), ({"calibration": 6, "level": 70}, "4")):
        fields = ANOMALY | {"anomaly": ANOMALY["anomaly"] | learned}
        model = QuantizedModel(ModelConfig(**made.config.model_dump() | scales | fields), made.tensors)
        model.save(tmp_path / "model.safetensors")
        with safe_open(tmp_path / "model.safetensors", "np") as archive:
            metadata = archive.metadata()
        assert metadata["version"] == version and ("calibration" in metadata["config"]) == bool(learned)
        assert QuantizedModel.load(tmp_path).config == model.config


@pytest.mark.parametrize("learned", [{}, {"calibration": 1, "level": 300}])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_in_parts_as_in_one(size, learned):
    """A device that gets its windows in several parts; a jump lies at the border of parts and inside one."""
    config, rng = ModelConfig(**CONFIG | ANOMALY | {"anomaly": ANOMALY["anomaly"] | learned}), np.random.default_rng(8)
    raw, outputs = rng.integers(-99, 99, (20, 3, 2)), rng.integers(-99, 99, (20, 2))
    follows = ~np.isin(np.arange(20), [0, 6, 11])
    decider = decision.Decider(config)
    parts = [decider.decide(outputs[at:at + size], raw[at:at + size], follows[at:at + size]) for at in range(0, 20, size)]
    whole = decision.decide(config, outputs, raw, follows)
    assert np.array_equal(np.concatenate(parts), whole)
    alone = [decision.decide(config, outputs[at:at + size], raw[at:at + size], follows[at:at + size])
             for at in range(0, 20, size)]
    assert not np.array_equal(np.concatenate(alone), whole)
    assert decider.decide(outputs[:0], raw[:0], follows[:0]).shape == (0, 2)


def test_a_forecast_decides_nothing():
    assert decision.decide(ModelConfig(**CONFIG), np.zeros((3, 2)), np.zeros((3, 3, 2), int)).shape == (3, 0)
