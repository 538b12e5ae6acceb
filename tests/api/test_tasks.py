# SPDX-License-Identifier: BSD-2-Clause
"""The estimators: trained from frames, they predict what the golden model, the networks and the simulated SoC compute."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import liteformer
from liteformer.accel import golden
from liteformer.accel.decision import decide
from liteformer.accel.random_model import random_model
from liteformer.flow.stream.replay import load_replay

from ..refusal import refusal
from .series import QUICK, activities, frame, process


@pytest.fixture(scope="module")
def forecaster():
    return liteformer.Forecaster(**QUICK).fit(frame(), target="power")


@pytest.fixture(scope="module")
def classifier():
    return liteformer.Classifier(**QUICK).fit(activities(), label="kind")


@pytest.fixture(scope="module")
def detector():
    return liteformer.AnomalyDetector(**QUICK).fit(process(), label="fault")


def test_forecasts_of_a_frame(forecaster):
    """At the index of each window's last row; windows over the missing number are left out."""
    table = frame()
    found = forecaster.predict(table)
    assert list(found.columns) == ["power"] and len(found) == 400 - 5 - 6
    assert found.index[0] == table.index[5] and table.index[200] not in found.index and table.index[206] in found.index
    config = forecaster.model.config
    windows = np.stack([table.to_numpy()[end - 5:end + 1] for end in table.index.get_indexer(found.index)])
    np.testing.assert_array_equal(found.to_numpy(), config.physical(golden.infer(forecaster.model, config.counts(windows))))
    np.testing.assert_array_equal(forecaster.predict(windows), found.to_numpy())
    np.testing.assert_array_equal(forecaster.predict(windows[0]), found.to_numpy()[:1])


def test_float_forecasts_are_those_of_the_run(forecaster):
    """Over the test windows."""
    run, table = forecaster.run, frame()
    last = run.dataset.test + 5
    found = forecaster.predict(table, on="float").loc[table.index[last]]
    np.testing.assert_allclose(found.to_numpy(), run.float_prediction, rtol=1e-5)
    integer = forecaster.predict(table).loc[table.index[last]]
    np.testing.assert_array_equal(integer.to_numpy(), run.integer_prediction())
    assert not np.allclose(found.to_numpy(), integer.to_numpy(), rtol=1e-4)  # Negative control.


def test_float_forecasts_with_a_persistence_skip():
    table = frame().ffill()
    found = liteformer.Forecaster(**QUICK, skip="persistence").fit(table, "power")
    last = found.run.dataset.test + 5
    np.testing.assert_allclose(found.predict(table, on="float").loc[table.index[last]], found.run.float_prediction, rtol=1e-5)


def test_the_soc_forecasts_the_same(forecaster):
    few = frame()[:9]
    pd.testing.assert_frame_equal(forecaster.predict(few, on="soc"), forecaster.predict(few))


def test_scores(forecaster):
    table = frame()
    found, truth = forecaster.predict(table)[:-1], table["power"].shift(-1)
    pairs = pd.concat([found["power"], truth.rename("truth")], axis=1, sort=True).dropna()
    error = np.square(pairs["power"] - pairs["truth"]).sum() / np.square(pairs["truth"] - pairs["truth"].mean()).sum()
    assert forecaster.score(table) == pytest.approx(1 - error)


def test_what_is_saved_is_loaded_and_known_to_the_commands(forecaster, tmp_path, run):
    table = frame()
    forecaster.save(tmp_path / "plant")
    found = liteformer.Forecaster.load(tmp_path / "plant", verbose=False)
    pd.testing.assert_frame_equal(found.predict(table), forecaster.predict(table))
    pd.testing.assert_frame_equal(found.predict(table, on="float"), forecaster.predict(table, on="float"))
    assert found.model.id == forecaster.model.id and found.metrics["rmse"] == forecaster.metrics["rmse"]
    assert found.get_params()["epochs"] == 1 and found.get_params()["d_model"] == 8
    path = json.loads((tmp_path / "plant" / "metrics.json").read_text())["options"]["path"]
    assert Path(path).parent == tmp_path / "plant" and found.model.provenance["options"]["path"] == path
    code, out, _ = run("evaluate", tmp_path / "plant", "--json")
    assert code == 0 and json.loads(out)["rmse"]["integer"] == forecaster.metrics["rmse"]["integer"]
    found.save(tmp_path / "plant")      # In its place.
    assert liteformer.Forecaster.load(tmp_path / "plant" / "model.safetensors").model.id == found.model.id


def test_the_same_training_as_the_command(forecaster, tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame().to_csv("plant.csv")
    code, out, _ = run("train", "--path", "plant.csv", "--target", "power", "--window", 6, "--d-model", 8, "--epochs", 1,
                       "--neighbours", "none", "--teachers", 1, "--batch", 32, "--json")
    assert code == 0 and json.loads(out)["rmse"]["integer"] == forecaster.metrics["rmse"]["integer"]
    other = liteformer.Forecaster(**QUICK, out=tmp_path / "other").fit("plant.csv", "power")
    assert (tmp_path / "other" / "metrics.json").is_file() and other.model.id == forecaster.model.id
    found = other.predict("plant.csv")
    np.testing.assert_array_equal(found.to_numpy(), forecaster.predict(frame()).to_numpy())
    assert found.index.name == "row" and found.index[0] == 5


def test_classes(classifier):
    table = activities()
    found = classifier.predict(table)
    logits = classifier.decision_function(table)
    assert classifier.classes == ["rest", "run"] and set(found.unique()) <= {"rest", "run"} and len(found) == 795
    assert (logits.idxmax(axis=1) == found).all() and found.index[0] == 5
    assert classifier.score(table) == pytest.approx((found == table["kind"].loc[found.index]).mean())
    windows = np.stack([table[["a"]].to_numpy()[start:start + 6] for start in range(50)])
    np.testing.assert_array_equal(classifier.predict(windows), found[:50].to_numpy())
    assert classifier.score(windows, table["kind"][5:55]) == pytest.approx((found[:50] == table["kind"][5:55]).mean())
    assert set(classifier.predict(windows, on="float")) <= {"rest", "run"}


def test_alarms(detector):
    table = process()
    found, scores = detector.predict(table), detector.score_samples(table)
    raw = np.stack([detector.model.config.counts(table[["a"]].to_numpy()[start:start + 6]) for start in range(895)])
    wanted = decide(detector.model.config, golden.infer(detector.model, raw), raw)
    np.testing.assert_array_equal(np.stack([scores, found], axis=1), wanted)
    assert found.name == "alarm" and set(found) == {0, 1}
    hits = (found & table["fault"].loc[found.index]).sum()
    assert detector.score(table) == pytest.approx(2 * hits / (found.sum() + table["fault"].loc[found.index].sum()))


@pytest.mark.slow
def test_what_the_commands_do(forecaster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert forecaster.evaluate()["rmse"]["integer"] == forecaster.metrics["rmse"]["integer"]
    assert forecaster.export("onnx", "a.onnx")["mismatches"] == 0
    assert forecaster.export("c", "c")["windows"] == 1000 > len(forecaster.run.dataset.test)
    assert Path(forecaster.generate("core")["out"], "liteformer_core.v").is_file()
    assert Path(forecaster.build("sim", compile_gateware=False)["out"]) == Path("build/sim")


@pytest.mark.slow
def test_measurements(forecaster):
    assert forecaster.simulate(2)["mismatches"] == 0
    result = forecaster.bench(2, with_area=False, rows=2)
    assert result["mismatches"] == 0 and result["array"]["rows"] == 2
    assert result["shape"]["window"] == 6 and result["shape"]["bits"] == 4


def test_verbose_says_what_is_done(capfd):
    liteformer.Forecaster(**QUICK | {"verbose": True}).fit(frame(), "power")
    out, err = capfd.readouterr()
    assert out == "" and "Train on csv: window 6, d 8, 4 bits" in err
    liteformer.Forecaster(**QUICK).fit(frame(), "power")
    assert capfd.readouterr() == ("", "")


def test_parameters_are_those_of_scikit_learn():
    found = liteformer.Forecaster(window=24, horizon=2)
    assert found.get_params() == {"window": 24, "d_model": 32, "bits": 4, "out": None, "verbose": True, "horizon": 2}
    assert liteformer.Forecaster(**found.get_params()).get_params() == found.get_params()
    assert found.set_params(bits=6) is found and found.get_params()["bits"] == 6
    assert repr(found) == "Forecaster(window=24, d_model=32, bits=6, horizon=2)"


def test_bad_input(forecaster, classifier, detector, tmp_path, monkeypatch):
    """Each is a LiteFormerError with a sentence; that of the command where it has one."""
    table, new = frame(), liteformer.Forecaster(**QUICK)
    assert refusal(new.predict, table) == "this Forecaster is not fitted; call fit(), or load() the folder of a training"
    assert refusal(new.fit, table).startswith("the frame has the columns power, wind; name the one to forecast with --target")
    assert refusal(new.fit, table, "rain") == "the frame has no column 'rain'; it has: time, power, wind"
    assert refusal(new.fit, table[:0], "power") == "the frame has 0 rows and 2 columns; give one with rows of numbers"
    twice = pd.concat([table, table], axis=1)
    assert refusal(new.fit, twice, "power") == "the frame has two columns 'power'; rename one"
    assert refusal(new.fit, table.assign(time=1), "power") == (
        "the frame has a column 'time' and an index of times of that name; rename one")
    assert refusal(forecaster.predict, table, "gpu") == "on is 'gpu'; choose one of: integer, float, soc"
    assert refusal(forecaster.predict, table[["wind"]]) == "the frame has no column 'power'; it has: time, wind"
    assert refusal(forecaster.predict, table[:3]).startswith(
        "a window of 6 rows is longer than the series of 3 rows; ")
    assert refusal(forecaster.predict, np.zeros((2, 5, 2))) == (
        "windows must be numbers of shape (N, 6, 2), not float64(2, 5, 2); a table of rows goes in as a DataFrame")
    assert refusal(forecaster.predict, np.full((1, 6, 2), np.nan)).startswith("the windows hold missing or infinite numbers")
    assert refusal(forecaster.score, np.zeros((2, 6, 2))) == (
        "the windows hold no target, so there is nothing to compare with; give a frame or a file that has its column")
    assert refusal(lambda: forecaster.predict(table, cpu="serv")) == (
        "cpu is an option of the simulated SoC; choose on='soc' or leave it out")
    assert refusal(detector.predict, process(), "float") == (
        "score and alarm are integers of the device; choose on='integer' or on='soc'")
    assert refusal(classifier.score, np.zeros((2, 6, 1)), ["rest"]) == "there are 1 labels for 2 windows; give one for each"
    assert refusal(classifier.score, np.zeros((1, 6, 1)), ["fly"]) == (
        "none of the labels is a class of the model; it knows rest, run")
    assert refusal(lambda: liteformer.Forecaster(width=3)).startswith("'width' of Forecaster is no option; there are: data, ")
    assert refusal(lambda: liteformer.Forecaster(target="power")) == "'target' of Forecaster is an argument of fit()"
    assert refusal(lambda: liteformer.Forecaster(bits=9).fit()) == "bits is 9; choose 2 to 8"
    monkeypatch.chdir(tmp_path)
    random_model(np.random.default_rng(1), window=2, features=1, d_model=2, bits=4).save("m.safetensors")
    assert refusal(liteformer.Classifier.load, "m.safetensors") == (
        "m.safetensors is a model of the task forecast; load it with Forecaster")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert refusal(forecaster.save, "mine") == "mine exists and holds no model; name another folder"
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_nothing_is_left_of_a_training_that_fails(tmp_path):
    new = liteformer.Forecaster(**QUICK, out=tmp_path / "a")
    refusal(new.fit, frame(), "rain")
    assert not list((tmp_path / "a").glob("*.csv"))


def test_rows_of_a_replay(tmp_path, forecaster):
    """Sorted by time, each window still names the row of the file that it ends with."""
    table = frame()[:20]
    table.iloc[::-1].to_csv(tmp_path / "a.csv")
    replay = load_replay(forecaster.model, None, str(tmp_path / "a.csv"))
    assert replay.rows.tolist() == list(range(14, -1, -1))
    assert replay.first(3).rows.tolist() == [14, 13, 12]
