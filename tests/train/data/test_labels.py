# SPDX-License-Identifier: BSD-2-Clause
"""Data with labels: the built-in ones, CSV files, and the directory layouts of UCI-HAR, WISDM and SKAB."""

import numpy as np
import pandas as pd
import pytest

from liteformer.train.data import har
from liteformer.train.data.activity import CLASSES, synthetic_activity
from liteformer.train.data.dataset import load_dataset
from liteformer.train.data.faults import synthetic_faults
from liteformer.train.data.recordings import parts_by_group
from liteformer.train.data.series import TEST, TRAIN, VALIDATION
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
    dataset = load_dataset(motion_options(tmp_path, motion, stride=2))
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
    options = motion_options(tmp_path, motion, group=None, timestamp=None, features=["a"], stride=1)
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
    plain = load_dataset(motion_options(tmp_path, motion, group=None, timestamp=None, features=["a"], stride=1))
    assert Windows(None, plain).weights is None
    motion["kind"] = np.where(np.arange(600) % 200 < 10, "rare", "usual")
    dataset = load_dataset(motion_options(tmp_path, motion, group=None, timestamp=None, features=["a"], stride=1))
    weights = Windows(None, dataset).weights
    counts = np.bincount(window_labels(dataset, dataset.train))
    assert weights[0] > 3 * weights[1] and np.isclose((weights.numpy() * counts).sum(), counts.sum())


def test_rows_without_class_are_left_out(tmp_path, motion):
    motion.loc[520:529, "kind"] = None
    dataset = load_dataset(motion_options(tmp_path, motion, stride=1))
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


# Published layouts --------------------------------------------------------------------------------

def write_har(root, windows=(24, 12)):
    """UCI-HAR's layout; window w of a part has activity w % 3 + 1 and subject w // 6 + 1, 20 more in the test part."""
    (root / "activity_labels.txt").write_text("1 WALKING\n2 SITTING\n3 LAYING\n")
    rng = np.random.default_rng(4)
    for part, count, first in (("train", windows[0], 1), ("test", windows[1], 21)):
        folder = root / part / "Inertial Signals"
        folder.mkdir(parents=True)
        number = np.arange(count)
        np.savetxt(root / part / f"y_{part}.txt", number % 3 + 1, fmt="%d")
        np.savetxt(root / part / f"subject_{part}.txt", number // 6 + first, fmt="%d")
        for name in har.HAR_SIGNALS:
            rows = np.sin(np.arange(128) * 0.2 * (number[:, None] % 3 + 1)) + rng.normal(0, 0.1, (count, 128))
            np.savetxt(folder / f"{name}_{part}.txt", rows, fmt="%16.7e")


def har_options(root, **more):
    return TrainOptions(**{"data": "har", "task": "classification", "path": str(root), "window": 32, "batch": 16} | more)


def test_har(tmp_path):
    write_har(tmp_path)
    dataset = load_dataset(har_options(tmp_path))
    assert dataset.classes == ["walking", "sitting", "laying"] and dataset.feature_names == har.HAR_SIGNALS
    # Windows of 32 rows, 16 apart, within 128 rows: 7. Three training subjects, one for validation, two for the test.
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [18 * 7, 6 * 7, 12 * 7]
    assert window_labels(dataset, dataset.test).tolist() == [w % 3 for w in range(12) for _ in range(7)]
    whole = load_dataset(har_options(tmp_path, window=128))
    assert len(whole.test) == 12
    expected = np.loadtxt(tmp_path / "test" / "Inertial Signals" / "body_gyro_y_test.txt")
    assert np.allclose(whole.windows(whole.test)[:, :, 4] / whole.raw_scale[4], expected, atol=1 / whole.raw_scale[4])


def test_har_that_is_damaged(tmp_path):
    write_har(tmp_path)
    assert refusal(load_dataset, har_options(tmp_path, window=200)) == (
        "window is 200; UCI-HAR has windows of 128 rows, choose at most that")
    path = tmp_path / "train" / "y_train.txt"
    text = path.read_text()
    path.write_text(text + "1\n")
    assert refusal(load_dataset, har_options(tmp_path)) == (
        f"the files in {tmp_path / 'train'} differ in their number of windows; copy them again")
    path.write_text(text.replace("2", "7", 1))
    options = har_options(tmp_path)
    assert refusal(load_dataset, options) == (
        f"{options.path} has activity 7, which activity_labels.txt does not name; copy it again")
    path.write_text(text.replace("2", "x", 1))
    assert refusal(load_dataset, har_options(tmp_path)) == f"{path} holds something that is not a number; copy it again"
    path.unlink()
    assert refusal(load_dataset, har_options(tmp_path)) == f"there is no file {path}; check --path"


def write_wisdm(path, rows=120, users=5):
    """WISDM's raw file: 50 ms between rows, two activities a user, a pause and the damage of the published file."""
    rng, lines, time = np.random.default_rng(5), [], 49105962326000
    for user in range(1, users + 1):
        for activity, pace in (("Walking", 0.5), ("Jogging", 1.1)):
            for row in range(rows):
                time += 50_000_000 if row != 60 else 5_000_000_000
                x, y, z = np.sin(pace * row + np.arange(3)) * 5 + rng.normal(0, 0.2, 3)
                lines.append(f"{user},{activity},{time},{x:.6f},{y:.6f},{z:.6f};")
    lines[10] = lines[10].replace(";", ",;")
    lines[20] += lines.pop(21)
    lines[30] = "1,Walking,49105962326000,0.5,;"
    path.write_text("\n".join(lines) + "\n")


def wisdm_options(path, **more):
    return TrainOptions(**{"data": "wisdm", "task": "classification", "path": str(path), "window": 20, "batch": 16} | more)


def test_wisdm(tmp_path):
    path = tmp_path / "WISDM_ar_v1.1_raw.txt"
    write_wisdm(path)
    dataset = load_dataset(wisdm_options(tmp_path))
    assert dataset.classes == ["Jogging", "Walking"] and dataset.feature_names == ["x", "y", "z"]
    # Stretches of 60 rows hold windows at 0, 10, ..., 40; the first one is cut by the damaged record, 30 rows and 29.
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [3 * 20 - 2, 20, 20]
    assert window_labels(dataset, dataset.train[:3]).tolist() == [1, 1, 1]
    assert np.array_equal(load_dataset(wisdm_options(path)).train, dataset.train)


def test_wisdm_that_is_damaged(tmp_path):
    path = tmp_path / "a_raw.txt"
    options = wisdm_options(tmp_path / "none")
    assert refusal(load_dataset, options) == f"there is no file {options.path}; check --path"
    assert refusal(load_dataset, wisdm_options(tmp_path)) == (
        f"there is no file {tmp_path / 'WISDM_ar_v1.1_raw.txt'}; check --path")
    path.write_text("user,activity\n1,2\n")
    options = wisdm_options(path)
    assert refusal(load_dataset, options) == (
        f"{options.path}: 2 of 2 records are not user,activity,timestamp,x,y,z; check --path")
    path.write_text("")
    options = wisdm_options(path)
    assert refusal(load_dataset, options) == (
        f"{options.path}: 0 of 0 records are not user,activity,timestamp,x,y,z; check --path")


def test_skab_rows_without_label(tmp_path):
    write_skab(tmp_path)
    whole, path = load_dataset(skab_options(tmp_path)), tmp_path / "valve1" / "0.csv"
    frame = pd.read_csv(path, sep=";")
    frame.loc[560:569, "anomaly"] = np.nan
    frame.to_csv(path, sep=";", index=False)
    dataset = load_dataset(skab_options(tmp_path))
    assert len(whole.test) - len(dataset.test) == 10 + 8
    assert dataset.notes == ["10 of 2088 rows have no label in column 'anomaly'; they are in no window"]
    frame.loc[3, "anomaly"] = 2
    frame.to_csv(path, sep=";", index=False)
    assert refusal(load_dataset, skab_options(tmp_path)) == (
        f"{path}, row 5, column 'anomaly' holds '2'; an anomaly label is 1, a normal one 0")


SENSORS = ["Accelerometer1RMS", "Current", "Volume Flow RateRMS"]


def write_skab(root, rows=700):
    """SKAB's layout: one file without labels, two experiments with an anomaly from row 550 on."""
    rng = np.random.default_rng(6)
    for name, labelled in (("anomaly-free/anomaly-free.csv", False), ("valve1/0.csv", True), ("other/9.csv", True)):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        bad = (np.arange(rows) >= 550) & (np.arange(rows) < 650) & labelled
        frame = pd.DataFrame({"datetime": pd.date_range("2020-03-09 10:14:33", periods=rows, freq="s")})
        for index, sensor in enumerate(SENSORS):
            frame[sensor] = np.sin(np.arange(rows) / 5 + index) + rng.normal(0, 0.1, rows) + 2 * bad
        if labelled:
            frame["anomaly"], frame["changepoint"] = bad.astype(float), 0.0
        frame = frame.drop(index=range(100, 104))
        frame.to_csv(path, sep=";", index=False)


def skab_options(root, **more):
    return TrainOptions(**{"data": "skab", "task": "anomaly", "path": str(root), "window": 8} | more)


def test_skab(tmp_path):
    write_skab(tmp_path)
    dataset = load_dataset(skab_options(tmp_path))
    assert dataset.feature_names == dataset.target_names == SENSORS
    # In each experiment 400 rows to train on and 296 for the test; a pause in the training rows costs 8 windows.
    assert len(dataset.test) == 2 * (296 - 8)
    past = len(dataset.train) + len(dataset.validation)
    assert past <= (696 - 16) + 2 * (400 - 16) and past > 1400
    assert dataset.anomalous.sum() == 200 and not dataset.anomalous[dataset.train].any()
    assert dataset.anomalous[dataset.test + 7].sum() == 200


def test_skab_that_is_damaged(tmp_path):
    options = skab_options(tmp_path / "none")
    assert refusal(load_dataset, options) == f"there is no directory {options.path}; check --path"
    options = skab_options(tmp_path)
    assert refusal(load_dataset, options) == f"no CSV file lies below {options.path}; check --path"
    write_skab(tmp_path)
    path = tmp_path / "valve1" / "0.csv"
    text = path.read_text()
    path.write_text(text.replace("Current", "Strom", 1))
    free = tmp_path / "anomaly-free" / "anomaly-free.csv"
    assert refusal(load_dataset, skab_options(tmp_path)) == (
        f"{path} has other sensors than {free}; keep files of one test bench below --path")
    path.write_text(text.replace(";", ","))
    assert refusal(load_dataset, skab_options(tmp_path)) == (
        f"{path} is not a SKAB file: it needs datetime and sensors, separated by semicolons")
    path.write_text(text.replace("2020-03-09 10:14:35", "noon", 1))
    assert refusal(load_dataset, skab_options(tmp_path)) == f"{path}, row 4, column 'datetime' holds no time; correct the cell"
