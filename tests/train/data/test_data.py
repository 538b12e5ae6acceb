# SPDX-License-Identifier: BSD-2-Clause
"""Data sets: published window counts, splits in time, gaps, missing values, scales from the training part only."""

import doctest

import numpy as np
import pytest

from liteformer.train.data import series as series_module
from liteformer.train.data import steps, task_series
from liteformer.train.data.dataset import load_dataset
from liteformer.train.data.series import Series, split, usable_starts
from liteformer.train.data.sets.synthetic import synthetic_series
from liteformer.train.loop import trainer
from liteformer.train.loop.options import TrainOptions


@pytest.mark.parametrize("module", [series_module, steps, task_series, trainer])
def test_docstring_examples(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("window, train, test", [(6, 17221, 893), (12, 16111, 869), (18, 15207, 849), (24, 14427, 831)])
def test_airu_window_counts(shared, window, train, test):
    data = load_dataset(TrainOptions(data="airu", path=shared("airu/airU.csv"), window=window))
    assert (len(data.train) + len(data.validation), len(data.test)) == (train, test)
    assert len(data.validation) == train - int(train * 0.85)
    assert data.feature_names == ["PM1", "PM2_5", "PM10", "Temperature", "Humidity", "RED", "NOX"]
    scaled = (data.windows(np.concatenate([data.train, data.validation])) - data.shift) / data.scale
    assert (scaled.min(), scaled.max()) == (0, 1)


def test_pems_persistence_is_the_published_one(shared):
    data = load_dataset(TrainOptions(data="pems", path=shared("pems_d7_mar2018/pems_3stations_5min.csv")))
    error = data.last_values(data.test) - data.truth[data.test]
    assert (round(float(np.sqrt((error ** 2).mean())), 3), round(float(abs(error).mean()), 3)) == (2.243, 1.301)
    assert (len(data.test), data.target_names) == (2016, ["el_segundo_speed"])
    assert data.validation[-1] + 12 == 6047


def test_pems_matrix_without_header(tmp_path):
    matrix = np.round(np.random.default_rng(1).uniform(20, 70, (900, 3)), 1)
    np.savetxt(tmp_path / "matrix.csv", matrix, delimiter=",", fmt="%.1f")
    data = load_dataset(TrainOptions(data="pems", path=str(tmp_path / "matrix.csv"), sensor="2"))
    assert (len(data.raw), data.feature_names) == (900, ["sensor 2"])
    assert np.allclose(data.raw[:, 0] / data.raw_scale[0], matrix[:, 2], atol=0.01)
    assert not np.allclose(data.raw[:, 0] / data.raw_scale[0], matrix[:, 1], atol=0.01)


@pytest.mark.parametrize("horizon", [1, 3])
def test_no_target_of_a_later_part_is_seen_earlier(csv, frame, horizon):
    data = load_dataset(csv(frame, horizon=horizon))
    rows = [{start + data.window + step for start in part for step in range(horizon)}
            for part in (data.train, data.validation, data.test)]
    assert rows[0] and rows[1] and rows[2]
    assert max(rows[0]) < min(rows[1]) and max(rows[1]) < min(rows[2])
    assert np.allclose(data.truth[data.test[0]], frame["a"][data.test[0] + 12:data.test[0] + 12 + horizon])


def test_scales_ignore_the_test_part(csv, frame):
    before = load_dataset(csv(frame))
    frame.loc[390:, ["a", "b"]] *= 50
    after = load_dataset(csv(frame))
    for name in ("raw_scale", "raw_low", "raw_high", "shift", "scale", "target_mean", "target_scale"):
        assert np.array_equal(getattr(before, name), getattr(after, name)), name
    frame.loc[100, "a"] *= 50
    assert not np.array_equal(before.scale, load_dataset(csv(frame)).scale)


def test_gap_makes_no_window(csv, frame):
    whole = load_dataset(csv(frame))
    gap = load_dataset(csv(frame.drop(index=range(100, 103)).reset_index(drop=True)))
    starts = set(gap.train)
    assert not starts & set(range(100 - 12, 100)) and {87, 100} <= starts
    assert set(range(100 - 12, 100)) <= set(whole.train)


def test_missing_value_makes_no_window(csv, frame):
    frame.loc[50, "b"] = np.nan
    starts = set(load_dataset(csv(frame)).train)
    assert not starts & set(range(39, 51)) and {38, 51} <= starts
    frame.loc[80, "a"] = np.nan
    starts = set(load_dataset(csv(frame, features=["b"])).train)
    assert 80 - 12 not in starts and {67, 69} <= starts


def test_raw_integers_use_4096_counts(csv, frame):
    data = load_dataset(csv(frame))
    assert np.all(data.raw_high - data.raw_low >= 4095) and np.all(data.raw_high - data.raw_low <= 8193)
    assert np.all(np.log2(data.raw_scale) % 1 == 0)
    assert np.allclose(data.raw[:, 0] / data.raw_scale[0], frame["a"], atol=0.5 / data.raw_scale[0] + 1e-9)


def test_windows_at_the_end_of_the_series():
    values = np.arange(8.0)[:, None]
    series = Series(values, ["a"], values, ["a"], np.ones(8, bool), horizon=1, scaling="standard", boundary=6)
    assert usable_starts(series, 3).tolist() == [0, 1, 2, 3, 4]
    train, validation, test = split(series, 3, usable_starts(series, 3), 0.34)
    assert (train.tolist(), validation.tolist(), test.tolist()) == ([0], [1, 2], [3, 4])


def test_synthetic_series_is_seeded():
    names, values = synthetic_series()
    assert values.shape == (8760, 5) and names[0] == "demand" and np.isfinite(values).all()
    assert np.array_equal(values, synthetic_series()[1])
    assert not np.array_equal(values, synthetic_series(seed=1)[1])
