# SPDX-License-Identifier: BSD-2-Clause
"""Data with labels in the directory layouts of UCI-HAR, WISDM and SKAB."""

import numpy as np
import pandas as pd

from liteformer.train.data.dataset import load_dataset
from liteformer.train.data.sets import har
from liteformer.train.loop.options import TrainOptions

from ...refusal import refusal


def window_labels(dataset, starts):
    return dataset.truth[starts][:, 0].astype(int)


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
