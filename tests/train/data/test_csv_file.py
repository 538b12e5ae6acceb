# SPDX-License-Identifier: BSD-2-Clause
"""A CSV without further options, several files, gaps that are bridged, longer steps, a window in each row."""

import numpy as np
import pandas as pd
import pytest

from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop.options import TrainOptions

from ...refusal import refusal


@pytest.fixture
def write(tmp_path):
    """Writes a DataFrame and gives options that read it."""
    def options(frame, name="t.csv", **more):
        frame.to_csv(tmp_path / name, index=False)
        return TrainOptions(**{"path": str(tmp_path / name), "batch": 16} | more)
    return options


def minutes(rows=300, seed=1):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"time": pd.date_range("2024-01-01", periods=rows, freq="min").strftime("%Y-%m-%d %H:%M"),
                         "a": (np.sin(np.arange(rows) / 9) * 5 + rng.normal(0, 0.1, rows)).round(3)})


def test_a_path_alone(write):
    """It is a CSV; its only column of numbers is forecast, its times are found."""
    options = write(minutes())
    data = load_dataset(options)
    assert (options.data, data.target_names, data.feature_names, data.notes) == ("csv", ["a"], ["a"], [])


def test_which_column(write):
    frame = minutes().assign(b=np.random.default_rng(2).normal(0, 1, 300))
    options = write(frame)
    assert refusal(load_dataset, options) == f"{options.path} has the columns a, b; name the one to forecast with --target"
    data = load_dataset(write(frame.rename(columns={"b": "target"})))
    assert data.target_names == ["target"] and data.notes == ["column 'target' is forecast; --target names another"]
    options = write(frame[["time"]])
    assert refusal(load_dataset, options).startswith(f"{options.path} has no column of numbers to forecast")


def test_short_gaps_are_bridged(write):
    frame = minutes()
    holes = frame.drop(index=[50, 100, 101, 200, 201, 202]).reset_index(drop=True)
    holes.loc[150, "a"] = np.nan
    data = load_dataset(write(holes, fill=2, window=6))
    assert data.notes == [
        "3 missing rows and 1 missing number in gaps of up to 2 are filled by interpolation; no forecast is measured against "
        "one",
        "1 row comes after another step than the usual 1 minute in column 'time'; no window spans one"]
    whole = load_dataset(write(frame, window=6))
    assert len(load_dataset(write(holes, window=6)).train) < len(data.train) < len(whole.train)
    value = data.raw[50, 0] / data.raw_scale[0]
    assert value == pytest.approx((frame["a"][49] + frame["a"][51]) / 2, abs=0.01)
    for part in (data.train, data.validation, data.test):
        # Neither a truth nor the last row of a window, which would know the row after it.
        assert 50 not in part + 6 and 50 not in part + 5 and np.isfinite(data.truth[part]).all()
    assert 50 in data.train + 3


def test_longer_steps(write):
    data = load_dataset(write(minutes(1200), every="5min", window=4))
    assert len(data.raw) == 240 and data.notes == ["1,200 rows are averaged to 240, one every 5 minutes"]
    assert data.raw[3, 0] / data.raw_scale[0] == pytest.approx(minutes(1200)["a"][15:20].mean(), abs=0.01)
    options = write(minutes(), every="10s")
    assert refusal(load_dataset, options) == f"every is 10s, but {options.path} has a row every 1 minute; choose a longer step"
    assert refusal(load_dataset, write(minutes(), every="soon")) == (
        "every is 'soon'; choose a length of time such as 10s, 15min, 1h or 1d")


def test_several_files_are_recordings(write, tmp_path):
    for number in range(3):
        write(minutes(100, number).assign(state=["on", "off"][number % 2]), f"p{number}.csv")
    pattern = str(tmp_path / "p*.csv")
    data = load_dataset(TrainOptions(path=pattern, target=["a"], batch=16, window=6))
    assert len(data.raw) == 300 and data.feature_names == ["a", "state"]
    for part in (data.train, data.validation, data.test):
        assert (part // 100 == (part + 6) // 100).all()
    nothing = TrainOptions(path=str(tmp_path / "q*.csv"))
    assert refusal(load_dataset, nothing) == f"no file matches {tmp_path}/q*.csv; check --path"
    write(minutes(100).rename(columns={"a": "b"}), "p9.csv")
    assert refusal(load_dataset, TrainOptions(path=pattern)) == (
        f"{tmp_path}/p9.csv has other columns than {tmp_path}/p0.csv ('a' is not in both); keep files of one kind")


def test_a_window_in_each_row(tmp_path):
    rng, kinds = np.random.default_rng(1), np.arange(300) % 3
    rows = np.sin(np.arange(20) * (kinds[:, None] + 1) / 4) + rng.normal(0, 0.1, (300, 20))
    np.savetxt(tmp_path / "beats.csv", np.c_[rows, kinds], delimiter=",", fmt="%.4f")
    options = {"path": str(tmp_path / "beats.csv"), "task": "classification", "label": "20", "layout": "rows", "batch": 16}
    data = load_dataset(TrainOptions(**options, window=20))
    assert (data.classes, data.feature_names) == (["0", "1", "2"], ["signal"])
    assert len(data.train) + len(data.validation) + len(data.test) == 300 and (data.train % 20 == 0).all()
    assert np.allclose(data.windows(data.test[:1])[0, :, 0] / data.raw_scale[0], rows[data.test[0] // 20], atol=0.01)
    assert refusal(load_dataset, TrainOptions(**options)) == (
        f"{options['path']} has 20 cells of a window in a row, and window is 12; choose --window 20, or name as many columns "
        "with --features")


def test_rows_that_repeat_a_time(write):
    frame = pd.concat([minutes(100)] * 3).sort_values("time")
    options = write(frame)
    assert refusal(load_dataset, options) == (
        f"{options.path}: 200 rows of 300 repeat a time in column 'time', as where several series are in one file; give each "
        "a column of its own or a file, or name another time with --timestamp; for classes and alarms name their column with "
        "--group")


def test_pairs_of_words_for_anomalies(write):
    frame = minutes().assign(k=np.where(np.isin(np.arange(300) // 10, (5, 21, 27)), 1, 0))
    expected = load_dataset(write(frame, task="anomaly", label="k")).anomalous
    for normal, anomalous, note in ((1, -1, "'1' is normal, '-1' is anomalous"), ("normal", "anomaly", None),
                                    ("No", "YES", None), (False, True, None),
                                    ("ok", "pump leak", "'ok' is normal, 'pump leak' is anomalous")):
        data = load_dataset(write(frame.assign(k=np.where(frame["k"], anomalous, normal)), task="anomaly", label="k"))
        assert (data.anomalous == expected).all()
        assert data.notes == ([f"label column 'k': {note}"] if note else [])
    options = write(frame.assign(k=np.where(frame["k"], "red", "blue")), task="anomaly", label="k")
    assert refusal(load_dataset, options) == (
        f"{options.path}, row 2, column 'k' holds 'blue'; an anomaly label is 1, a normal one 0")
