# SPDX-License-Identifier: BSD-2-Clause
"""Every bad input gets its sentence."""

import numpy as np
import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.tensors import tensor_names
from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop.options import TrainOptions

from ...refusal import refusal


@pytest.mark.parametrize("values, message", [
    ({"bits": 9}, "bits is 9; choose 2 to 8"),
    ({"bits": 1}, "bits is 1; choose 2 to 8"),
    ({"d_model": 30, "heads": 4}, "d_model 30 is not divisible by 4 heads; choose another number of heads"),
    ({"data": "airu"}, "data airu needs a CSV; give it with --path"),
    ({"data": "synthetic", "path": "x.csv"},
     "data synthetic is built in and reads no file; leave --path out, or choose --data csv for x.csv"),
    ({"data": "airu", "path": "x", "skip_rows": 2}, "data airu has a layout of its own; leave --skip-rows out"),
    ({"path": "x", "layout": "rows"}, "layout rows has a window and its class in each row, which task forecast has not; choose "
                                      "--task classification or leave --layout out"),
    ({"data": "airu", "path": "x", "horizon": 2}, "data airu forecasts at the window's last row; leave the horizon out"),
    ({"data": "moon"}, "data is 'moon'; choose one of: 'synthetic', 'airu', 'pems', 'csv', 'har', 'wisdm' or 'skab'"),
    ({"data": "airu", "task": "anomaly", "path": "x"}, "task anomaly has no data airu; choose one of: synthetic, skab, csv"),
    ({"data": "har", "task": "classification"}, "data har needs its directory; give it with --path"),
    ({"data": "csv", "task": "classification", "path": "x"},
     "task classification needs the name of the column with the labels; give it with --label"),
    ({"data": "csv", "task": "anomaly", "path": "x"},
     "task anomaly needs the name of the column with the labels; give it with --label"),
    ({"task": "classification", "skip": "persistence"}, "task classification has no skip; leave --skip out"),
    ({"task": "anomaly", "horizon": 3}, "task anomaly has no horizon; leave --horizon out"),
    ({"label": "x"}, "task forecast has no label; leave --label out"),
    ({"window": 0}, "window is 0; choose at least 1"),
    ({"window": 2048}, "window is 2048; choose at most 2047"),
    ({"patch": 13}, "a patch of 13 rows is longer than the window of 12; choose a patch of at most 12"),
    ({"patch": 5, "stride": 5},
     "patches of 5 rows with a stride of 5 leave 2 of the 12 rows of a window unused; choose a window of 10 or 15"),
    ({"window_stride": 2}, "task forecast has no window_stride; leave --window-stride out"),
    ({"test_fraction": 1.0}, "test_fraction is 1.0; choose less than 1"),
    ({"bits_of": {"hidden": 9}}, "bits_of gives hidden 9 bits; choose 2 to 8"),
    ({"bits_of": {"depth": 4}},
     "bits_of names 'depth', which is not a tensor of this model; there are the classes weights, activations, input, embed, "
     f"attention, probability, ffn, hidden, head and the tensors {', '.join(tensor_names(1))}"),
    ({"colour": 1}, f"there is no training option 'colour'; the options are: {', '.join(TrainOptions.model_fields)}"),
    ({"epochs": "many"}, "epochs is 'many', which is not valid (input should be a valid integer, unable to parse string as an "
                         "integer); correct it"),
])
def test_options(values, message):
    with pytest.raises(LiteFormerError) as error:
        TrainOptions(**values)
    assert str(error.value) == message


def test_options_of_a_run_from_before_there_were_patches():
    """Its stride was that of the windows to classify."""
    before = {"task": "classification", "window": 10, "stride": 5}
    assert TrainOptions.stored(before) == TrainOptions(task="classification", window=10, window_stride=5, average=0)
    now = TrainOptions(window=12, patch=4, stride=2)
    assert TrainOptions.stored(now.model_dump()) == now


def test_options_of_a_run_from_before_the_stages_differed_in_rate():
    now = TrainOptions(lr=1e-3).model_dump()
    before = {name: value for name, value in now.items() if not name.startswith("qat_")}
    again = TrainOptions.stored(before).quantized_recipe
    assert (again.lr, again.weight_decay) == (1e-3, 0.3)
    assert TrainOptions.stored(now).quantized_recipe.lr == 2e-3


def test_missing_file():
    assert refusal(load_dataset, TrainOptions(data="airu", path="nowhere.csv")) == "there is no file nowhere.csv; check --path"


@pytest.mark.parametrize("text", ["", "a,b\n"])
def test_empty_file(tmp_path, text):
    (tmp_path / "empty.csv").write_text(text)
    options = TrainOptions(data="csv", path=str(tmp_path / "empty.csv"), target=["a"])
    assert refusal(load_dataset, options) == f"{options.path} is empty; check --path"


def test_missing_column(csv, frame):
    options = csv(frame, target=["c"])
    assert refusal(load_dataset, options) == f"{options.path} has no column 'c'; it has: time, a, b"
    options = csv(frame, timestamp="when")
    assert refusal(load_dataset, options) == f"{options.path} has no column 'when'; it has: time, a, b"


def test_cells_that_are_no_numbers(csv, frame):
    """A few are missing values, many are refused, all with --strict."""
    frame["a"] = frame["a"].astype(object)
    frame.loc[3, "a"] = "abc"
    assert load_dataset(csv(frame)).notes == ["column 'a': 1 cell that is no number ('abc' in row 5) is taken as missing"]
    assert refusal(load_dataset, csv(frame, strict=True)) == (
        "column 'a': 1 cell that is no number ('abc' in row 5) is taken as missing; correct the file or leave --strict out")
    frame.loc[3:60, "a"] = "abc"
    options = csv(frame)
    assert refusal(load_dataset, options) == (
        f"{options.path}, row 5, column 'a' holds 'abc', which is not a number; correct the cell, leave it empty or name it "
        "with --missing")


def test_times(csv, frame):
    swapped = frame.reindex([*range(7), 8, 7, *range(9, 400)])
    data, whole = load_dataset(csv(swapped)), load_dataset(csv(frame))
    assert data.notes == ["1 row out of order in column 'time' (the first is row 10) is sorted by time"]
    assert (data.train == whole.train).all() and (data.raw == whole.raw).all()
    frame.loc[2, "time"] = "noon"
    options = csv(frame)
    assert refusal(load_dataset, options) == (
        f"{options.path}, row 4, column 'time' holds 'noon', which is not a time; name another column with --timestamp or "
        "correct the cell")


def test_window_longer_than_the_series(csv, frame):
    assert refusal(load_dataset, csv(frame[:10], window=12)) == (
        "a window of 12 rows and a horizon of 1 is longer than the series of 10 rows; choose a smaller --window or give a "
        "longer series")


def test_fewer_windows_than_a_batch(csv, frame):
    assert refusal(load_dataset, csv(frame, batch=300)) == (
        "only 261 training windows, fewer than the batch of 300; give a longer series or a smaller --batch")


def test_no_test_window(csv, frame):
    frame.loc[300:, "a"] = np.nan
    assert refusal(load_dataset, csv(frame, features=["a"])) == (
        "no test window is left after the split in time: of 400 rows 100 hold a missing value; the longest stretch without one "
        "has 300 rows, and a window and its target need 13; bridge short gaps with --fill N, take longer steps with --every, "
        "name another --timestamp or choose a smaller --window or --batch")


def test_constant_columns(csv, frame):
    frame["b"] = 7
    data = load_dataset(csv(frame))
    assert (data.feature_names, data.notes) == (["a"], ["column 'b' has the same value everywhere and is no feature"])
    frame.loc[390, "b"] = 8
    assert load_dataset(csv(frame)).notes == ["column 'b' has the same value in all training rows and is no feature"]
    assert refusal(load_dataset, csv(frame, features=["a", "b"])) == (
        "feature 'b' is constant (7) over the training rows; leave it out")
    frame["a"] = 3
    assert refusal(load_dataset, csv(frame, features=["b"])) == (
        "feature 'b' is constant (7) over the training rows; leave it out")
    frame["b"] = np.arange(400)
    assert refusal(load_dataset, csv(frame, features=["b"])) == (
        "target 'a' is constant over the training rows; choose another --target")


def test_feature_far_from_zero(csv, frame):
    """Its integers are counted from amid its values."""
    frame["b"] = 1e6 + np.arange(400) % 7
    data = load_dataset(csv(frame))
    assert data.raw_offset.tolist() == [0, 1e6 + 3] and data.output_offset.tolist() == [0]
    assert np.allclose(data.raw[:, 1] / data.raw_scale[1] + data.raw_offset[1], frame["b"])


def test_persistence_without_the_target(csv, frame):
    assert refusal(load_dataset, csv(frame, features=["b"], skip="persistence")) == (
        "skip persistence needs target 'a' among the features; add it to --features or choose --skip none")


def test_answer_among_the_features(csv, frame):
    assert refusal(load_dataset, csv(frame, features=["a", "b"], horizon=0)) == (
        "target 'a' is among the features, so the window's last row holds the answer; choose a horizon of 1 or more or leave "
        "it out of --features")


def test_too_many_outputs(csv, frame):
    assert refusal(load_dataset, csv(frame, target=["a", "b"], horizon=40)) == (
        "2 targets over 40 steps are 80 outputs; at most 64 are possible")
    assert refusal(load_dataset, csv(frame, target=["a", "a"])) == "a target is named twice: a, a; name each once"


def test_matrix(tmp_path):
    path = tmp_path / "matrix.csv"
    np.savetxt(path, np.ones((50, 3)), delimiter=",")
    options = TrainOptions(data="pems", path=str(path), sensor="3")
    assert refusal(load_dataset, options) == f"{options.path} has no sensor 3; its 3 columns are sensors 0 to 2"
    options = TrainOptions(data="pems", path=str(path), sensor="north")
    assert refusal(load_dataset, options) == f"sensor 'north' is not a column number of {options.path}; give a whole number"
    options = TrainOptions(data="pems", path=str(path), target=["a"])
    assert refusal(load_dataset, options) == f"{options.path} has no header, so columns have no names; choose one with --sensor"
