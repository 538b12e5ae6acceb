# SPDX-License-Identifier: BSD-2-Clause
"""Data with labels: the built-in ones and CSV files."""

import numpy as np
import pandas as pd
import pytest

from liteformer.train.data.dataset import load_dataset
from liteformer.train.data.recordings import parts_by_group
from liteformer.train.data.series import TEST, TRAIN, VALIDATION
from liteformer.train.data.sets.activity import CLASSES, synthetic_activity
from liteformer.train.data.sets.faults import synthetic_faults
from liteformer.train.loop.options import TrainOptions

from ...refusal import refusal


def window_labels(dataset, starts):
    return dataset.truth[starts][:, 0].astype(int)


# Built in -----------------------------------------------------------------------------------------

def test_activity_is_seeded_and_complete():
    values, labels, subjects = synthetic_activity()
    again, other = synthetic_activity()[0], synthetic_activity(seed=1)[0]
    assert np.array_equal(values, again) and not np.array_equal(values, other)
    pairs, counts = np.unique(np.stack([subjects, labels]), axis=1, return_counts=True)
    assert pairs.shape[1] == len(np.unique(subjects)) * len(CLASSES) and len(np.unique(counts)) == 1


def test_activity_is_divided_by_subject():
    dataset = load_dataset(TrainOptions(task="classification"))
    subjects = synthetic_activity()[2]
    sets = [set(subjects[part]) for part in (dataset.train, dataset.validation, dataset.test)]
    assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2])
    labels = synthetic_activity()[1]
    for starts in (dataset.train, dataset.test):
        rows = starts[:, None] + np.arange(12)
        assert (labels[rows] == window_labels(dataset, starts)[:, None]).all()
    assert np.diff(dataset.train).min() == 6


def test_faults_are_seeded_and_in_every_part():
    values, faulty = synthetic_faults()
    again, other = synthetic_faults()[0], synthetic_faults(seed=1)[0]
    assert np.array_equal(values, again) and not np.array_equal(values, other)
    dataset = load_dataset(TrainOptions(task="anomaly"))
    assert 0.05 < faulty.mean() < 0.2
    span = np.arange(13)
    assert not faulty[dataset.train[:, None] + span].any() and not faulty[dataset.validation[:, None] + span].any()
    assert faulty[dataset.watched + 11].any() and faulty[dataset.test + 11].any()
    assert len(dataset.watched) > len(dataset.validation)


# CSV ----------------------------------------------------------------------------------------------

@pytest.fixture
def motion():
    """600 rows of two classes, slow and fast, of six persons with 100 rows each."""
    rng = np.random.default_rng(2)
    person, kind = np.arange(600) // 100, np.arange(600) // 50 % 2
    phase = np.arange(600) * np.where(kind, 1.3, 0.4)
    return pd.DataFrame({"who": [f"p{number}" for number in person], "time": np.arange(600) % 100,
                         "a": (np.sin(phase) + rng.normal(0, 0.1, 600)).round(4), "b": rng.normal(0, 1, 600).round(4),
                         "kind": np.where(kind, "fast", "slow")})


@pytest.fixture
def plant():
    """500 rows of a sine with jumps labelled 1."""
    rng = np.random.default_rng(3)
    a = np.sin(np.arange(500) / 6) * 5 + rng.normal(0, 0.2, 500)
    faulty = np.isin(np.arange(500) // 10, [7, 20, 33, 36, 43, 47])
    return pd.DataFrame({"a": (a + 6 * faulty).round(4), "b": rng.normal(0, 1, 500).round(4), "bad": faulty.astype(int)})


def options_of(tmp_path, frame, **more):
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False)
    return TrainOptions(**{"data": "csv", "path": str(path), "window": 6, "batch": 16} | more)


def motion_options(tmp_path, frame, **more):
    task = {"task": "classification", "label": "kind", "group": "who", "timestamp": "time"}
    return options_of(tmp_path, frame, **task | more)


def plant_options(tmp_path, frame, **more):
    return options_of(tmp_path, frame, **{"task": "anomaly", "label": "bad"} | more)


def test_csv_with_classes(tmp_path, motion):
    dataset = load_dataset(motion_options(tmp_path, motion, window_stride=2))
    assert (dataset.classes, dataset.feature_names) == (["fast", "slow"], ["a", "b"])
    assert dataset.target_names == ["fast", "slow"] and len(dataset.target_mean) == 2
    persons = [set(motion["who"].to_numpy()[part]) for part in (dataset.train, dataset.validation, dataset.test)]
    assert persons == [{"p0", "p1", "p2", "p3"}, {"p4"}, {"p5"}]
    # 50 rows of one class give windows at 0, 2, ..., 44.
    assert len(dataset.test) == 2 * 23
    assert [dataset.classes[k] for k in window_labels(dataset, dataset.test[[0, -1]])] == list(motion["kind"][[500, 599]])


def test_csv_classes_split_in_time(tmp_path, motion):
    dataset = load_dataset(motion_options(tmp_path, motion, group=None, timestamp=None, features=["a"]))
    assert max(dataset.train) < min(dataset.validation) < min(dataset.test) and dataset.test[0] + 5 >= 480


def test_csv_numbers_as_classes_are_in_order(tmp_path, motion):
    motion["kind"] = np.where(motion["kind"] == "fast", 10, 9)
    assert load_dataset(motion_options(tmp_path, motion)).classes == ["9", "10"]


def test_a_class_that_is_late_is_in_every_part(tmp_path, motion):
    """And no row is in two parts."""
    motion["kind"] = np.where(np.arange(600) > 520, "third", motion["kind"])
    options = motion_options(tmp_path, motion, group=None, timestamp=None, features=["a"], window_stride=1)
    dataset = load_dataset(options)
    assert dataset.notes == ["a class has no window in the training or test part of the time, so training, validation and test "
                             "are divided class by class, each in time"]
    rows = [set((part[:, None] + np.arange(6)).ravel()) for part in (dataset.train, dataset.validation, dataset.test)]
    assert not (rows[0] & rows[1] or rows[0] & rows[2] or rows[1] & rows[2])
    for part in (dataset.train, dataset.validation, dataset.test):
        assert set(window_labels(dataset, part)) == {0, 1, 2}


def test_rare_classes_count_more(tmp_path, motion):
    """Negative control: classes of about the same size do not."""
    from liteformer.train.loop.trainer import Windows
    plain = load_dataset(motion_options(tmp_path, motion, group=None, timestamp=None, features=["a"], window_stride=1))
    assert Windows(None, plain).weights is None
    motion["kind"] = np.where(np.arange(600) % 200 < 10, "rare", "usual")
    dataset = load_dataset(motion_options(tmp_path, motion, group=None, timestamp=None, features=["a"], window_stride=1))
    weights = Windows(None, dataset).weights
    counts = np.bincount(window_labels(dataset, dataset.train))
    assert weights[0] > 3 * weights[1] and np.isclose((weights.numpy() * counts).sum(), counts.sum())


def test_rows_without_class_are_left_out(tmp_path, motion):
    motion.loc[520:529, "kind"] = None
    dataset = load_dataset(motion_options(tmp_path, motion, window_stride=1))
    assert dataset.notes == ["10 of 600 rows have no label in column 'kind'; they are in no window"]
    rows = dataset.test[:, None] + np.arange(6)
    assert not ((rows >= 520) & (rows < 530)).any()


@pytest.mark.parametrize("values", [(1000001.0, 1000002.0), (0.1234561, 0.1234562), (1e22, 2e22)])
def test_labels_that_differ_late_are_two_classes(tmp_path, motion, values):
    motion["kind"] = np.where(motion["kind"] == "fast", *values) + 0.25 * (values[0] > 1e6) * (values[0] < 1e9)
    classes = load_dataset(motion_options(tmp_path, motion)).classes
    assert len(set(classes)) == 2 and [float(name) for name in classes] == sorted(motion["kind"].unique())


def test_whole_numbers_with_holes_are_named_as_without(tmp_path, motion):
    motion["kind"] = np.where(motion["kind"] == "fast", 1000001.0, 1000002.0)
    motion.loc[520:529, "kind"] = np.nan
    assert load_dataset(motion_options(tmp_path, motion)).classes == ["1000001", "1000002"]


def test_rows_without_label_are_not_normal(tmp_path, plant):
    """Neither in training nor in the test; said in one sentence. Rows 100 to 109 are normal, 470 to 474 anomalous."""
    whole = load_dataset(plant_options(tmp_path, plant))
    plant["bad"] = plant["bad"].astype(float)
    unknown = [*range(100, 110), *range(470, 475)]
    plant.loc[unknown, "bad"] = np.nan
    dataset = load_dataset(plant_options(tmp_path, plant))
    for name in ("train", "validation", "watched", "test"):
        rows = getattr(dataset, name)[:, None] + np.arange(7)
        assert not np.isin(rows, unknown).any(), name
    assert np.isin(whole.train[:, None] + np.arange(7), unknown).any()
    assert not whole.notes
    assert dataset.notes == ["15 of 500 rows have no label in column 'bad'; they are in no window"]


def test_a_column_without_any_label(tmp_path, plant):
    assert refusal(load_dataset, plant_options(tmp_path, plant.assign(bad=np.nan))) == (
        "label column 'bad' holds no label; to find anomalies both 0 and 1 are needed")


def test_csv_with_anomalies(tmp_path, plant):
    dataset = load_dataset(plant_options(tmp_path, plant))
    assert dataset.target_names == ["a", "b"] and dataset.target_features == [0, 1]
    bad = plant["bad"].to_numpy()
    assert not bad[dataset.train[:, None] + np.arange(7)].any() and bad[dataset.watched + 5].any()


@pytest.mark.parametrize("change, more, message", [
    (lambda f: f.assign(kind="slow"), {},
     "label column 'kind' holds one class only (slow); a classification needs at least two"),
    (lambda f: f, {"label": "what"}, "{path} has no column 'what'; it has: who, time, a, b, kind"),
    (lambda f: f, {"group": "what"}, "{path} has no column 'what'; it has: who, time, a, b, kind"),
    (lambda f: f, {"batch": 128}, "only 120 training windows, fewer than the batch of 128; give a longer series or a smaller "
                                  "--batch"),
    (lambda f: f.assign(who=np.where(f["who"] == "p0", "p0", "p1")), {"timestamp": None},
     "2 groups of recordings cannot be divided into training, validation and test; give at least 3"),
    (lambda f: f.assign(kind=np.where(np.arange(600) > 550, "third", f["kind"])), {},
     "class 'third' of 'kind' has no training window; give more rows of it, or name the column of recordings with --group, by "
     "which the data are divided then"),
    (lambda f: f.assign(kind=np.arange(600) // 6), {}, "label column 'kind' holds 100 classes; at most 64 are possible"),
    (lambda f: f[["who", "kind"]], {"timestamp": None},
     "{path} has no numeric column besides the label; name the inputs with --features"),
])
def test_bad_classes(tmp_path, motion, change, more, message):
    options = motion_options(tmp_path, change(motion), **more)
    assert refusal(load_dataset, options) == message.format(path=options.path)


@pytest.mark.parametrize("change, more, message", [
    (lambda f: f.assign(bad=0), {}, "label column 'bad' holds one class only (0); to find anomalies both 0 and 1 are needed"),
    (lambda f: f.assign(bad=1), {}, "label column 'bad' holds one class only (1); to find anomalies both 0 and 1 are needed"),
    (lambda f: f.assign(bad=f["bad"] * 2), {},
     "{path}, row 72, column 'bad' holds '2'; an anomaly label is 1, a normal one 0"),
    (lambda f: f, {"label": "what"}, "{path} has no column 'what'; it has: a, b, bad"),
    (lambda f: f, {"features": ["a"], "target": ["c"]}, "there is no column 'c'; there are: a"),
    (lambda f: f.assign(bad=f["bad"].where(f.index < 400, 0)), {},
     "the test part holds no anomaly, so nothing could be measured; choose a larger --test-fraction"),
    (lambda f: f, {"batch": 512}, "only 292 training windows, fewer than the batch of 512; give a longer series or a smaller "
                                  "--batch"),
])
def test_bad_anomalies(tmp_path, plant, change, more, message):
    options = plant_options(tmp_path, change(plant), **more)
    assert refusal(load_dataset, options) == message.format(path=options.path)


# Parts --------------------------------------------------------------------------------------------

def test_parts_by_group():
    groups = np.repeat(["d", "a", "c", "b", "e"], 2)
    parts = parts_by_group(groups, TrainOptions(test_fraction=0.4, validation_fraction=0.3))
    assert parts.tolist() == [TRAIN] * 4 + [VALIDATION] * 2 + [TEST] * 4
    tested = np.isin(groups, ["a"])
    parts = parts_by_group(groups, TrainOptions(), tested)
    assert parts.tolist() == [TRAIN] * 2 + [TEST] * 2 + [TRAIN] * 4 + [VALIDATION] * 2
