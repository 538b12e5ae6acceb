# SPDX-License-Identifier: BSD-2-Clause
"""The page of results: what it says follows from the stored figures."""

import json

import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.markdown import fill
from liteformer.flow.publish import results, results_train
from liteformer.flow.publish.results_train import entries, record, teach_stored, together, train_missing
from liteformer.train.loop import run
from liteformer.train.loop.options import TrainOptions
from liteformer.train.loop.seeds import train_seeds


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Stored figures of a tiny model, as if it were an entry of the page."""
    out = tmp_path_factory.mktemp("results") / "model"
    options = TrainOptions(window=6, d_model=8, epochs=1, batch=256, teachers=1, neighbours="none", out=str(out))
    run_of_two = train_seeds(options, 2)
    run_of_two.metrics["options"]["path"] = "/somewhere/x.csv"
    stored = record(run_of_two)
    stored["options"] |= {"data": "airu", "window": 12, "d_model": 32, "bits": 4}
    return json.loads(json.dumps(stored))


def _other(stored, **options):
    return json.loads(json.dumps(stored)) | {"options": stored["options"] | options}


def test_record_is_small_and_knows_no_folder(small):
    assert "history" not in small and small["options"]["path"] == "x.csv"
    assert len(json.dumps(small)) < 20_000
    assert {name: len(values) for name, values in small["forecast"].items()} == {"truth": 168, "float": 168, "integer": 168}


def test_page(small):
    stored = {"a": small, "b": _other(small, bits=8), "c": _other(small, data="pems", readout="mean")}
    text = results.page(stored)
    lines = text.splitlines()
    figure = small["rmse"]["integer"]
    row = next(line for line in lines if line.startswith("| (12, 32) last | 4 |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[5] == f"**{figure['mean']:.2f} ± {figure['std']:.2f}**"
    assert cells[6] == f"{figure['low']:.2f} to {figure['high']:.2f}"
    assert cells[7] == f"{figure['mean'] / small['rmse']['float']['mean']:.3f}"
    assert cells[8:] == [f"{min(figure['values']):.2f}", "5.47"]
    assert [line.split("|")[2].strip() for line in lines if line.startswith("| (12, 32) last")] == ["8", "4"]
    other = next(line for line in lines if line.startswith("| (12, 32) mean"))
    assert other.count("|") == row.count("|") - 1
    assert f"{len(list(entries())) - 3} of {len(list(entries()))} models" in text
    better = small["rmse"]["mlp"]["mean"] < figure["mean"]
    assert text.count("An MLP (") == 2 * better
    small["rmse"]["mlp"] = {"mean": figure["mean"] + 1, "std": 0.1}
    assert "An MLP (" not in results.page({"a": small})
    wanted = next(line for line in lines if line.startswith("| AirU (12, 32) 4 bits last"))
    assert ("(missed)" in wanted.split("|")[3]) == (figure["mean"] > 3.8)


def test_unequal_training_of_float_and_integer_is_said(small):
    """README.md and the page show the teachers' error beside FP32 and the integer network, and say why."""
    taught = _other(small, teachers=4)
    taught["rmse"]["ensemble"] = 3.456
    for text in (results.page({"a": taught}), results.headline({"a": taught})):
        heads, row = ([cell.strip() for cell in line.strip("|").split("|")] for start in ("mean of 4 FP32 |", " 3.46 |")
                      for line in text.splitlines() if line.startswith("|") and start in line)
        assert row[heads.index("mean of 4 FP32")] == "3.46"
        assert row[heads.index("FP32")] == f"{taught['rmse']['float']['mean']:.2f} ± {taught['rmse']['float']['std']:.2f}"
        said = " ".join(text.split())
        assert "goes on from the FP32 network for as many epochs again and is distilled from 4 FP32 networks" in said
        assert "the first seed where no deviation is given" in said
    taught["rmse"]["ensemble"] = {"mean": 3.456, "std": 0.02, "values": [3.44, 3.472]}
    assert "3.46 ± 0.02" in results.headline({"a": taught}) and "the first seed" not in results.headline({"a": taught})
    assert "fills what is empty" not in results.page({"a": taught})
    del taught["rmse"]["ensemble"]
    assert "3.46" not in results.page({"a": taught}) + results.headline({"a": taught})
    assert "`make results-train TEACHERS=1` fills what is empty" in " ".join(results.page({"a": taught}).split())


def test_plots(small, tmp_path):
    results.draw({"a": small, "b": _other(small, bits=8)}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["airu-forecast.png", "bits.png", "layers.png"]


def test_stored_entries_are_not_trained_again(tmp_path):
    name, fields = next(iter(entries()))
    (tmp_path / f"{name}.json").write_text("{}")
    train_missing([name], folder=tmp_path, workers=lambda *_: pytest.fail("trained again"))
    assert fields["refit"] and fields["bits"] == 4
    with pytest.raises(LiteFormerError, match="there is no result moon; there are: airu-12-32-4bit-last, "):
        train_missing(["moon"], folder=tmp_path)
    assert len(dict(entries())) == 48


class InProcess:
    """A pool that works when its results are asked for."""

    def __init__(self, jobs, function):
        self.jobs, self.function, self.waiting = jobs, function, {}

    def submit(self, number, task, point):
        self.waiting[number] = task, point

    def finished(self, _):
        number, (task, point) = self.waiting.popitem()
        return [(number, self.function(task, point))]

    def stop(self):
        self.waiting.clear()

    def close(self):
        assert not self.waiting


def test_interrupted_training_and_bad_jobs(tmp_path, monkeypatch, capfd):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    for arguments, function, code, sentence in (
            (("--jobs", "1"), stopped, 130, "stopped; finished trainings are kept"),
            (("--teachers", "1"), stopped, 130, "stopped; finished trainings are kept"),
            (("--teachers", "0"), stopped, 2, "error: teachers is 0; choose at least 1"),
            (("--jobs", "0"), train_missing, 2, "error: jobs is 0; choose at least 1")):
        monkeypatch.setattr(results_train, "teach_stored" if "--teachers" in arguments else "train_missing", function)
        monkeypatch.setattr("sys.argv", ["results_train", *arguments])
        with pytest.raises(SystemExit) as end:
            results_train.main()
        assert end.value.code == code and sentence in capfd.readouterr().err


def test_missing_entries_are_trained_and_stored(tmp_path, monkeypatch):
    """Float networks are trained once for both widths."""
    def short(window, bits):
        return {"data": "synthetic", "window": window, "d_model": 8, "bits": bits, "readout": "last", "epochs": 1, "batch": 256,
                "skip": "none",
                "teachers": 1}

    wanted = [("airu-6-8-4bit-last", short(6, 4)), ("airu-5-8-4bit-last", short(5, 4)), ("airu-6-8-3bit-last", short(6, 3))]
    monkeypatch.setattr("liteformer.flow.publish.results_train.entries", lambda: wanted)
    (tmp_path / "airu-5-8-4bit-last.json").write_text("{}")
    floats = []
    monkeypatch.setattr(run, "fit", lambda *args, fit=run.fit, **more: floats.append(args[6]) or fit(*args, **more))
    train_missing(seeds=2, folder=tmp_path, builds=tmp_path / "builds", workers=InProcess)
    assert floats.count("float") == 2 and floats.count("qat") == 4
    found = {bits: json.loads((tmp_path / f"airu-6-8-{bits}bit-last.json").read_text()) for bits in (4, 3)}
    assert {stored["options"]["bits"] for stored in found.values()} == {4, 3}
    assert found[3]["rmse"]["float"] == found[4]["rmse"]["float"] and found[3]["rmse"]["mlp"] == found[4]["rmse"]["mlp"]
    assert found[3]["rmse"]["integer"] != found[4]["rmse"]["integer"]


def test_teachers_of_stored_entries_are_measured(small, tmp_path, monkeypatch):
    """Only the float networks are trained, once for all widths; the first seed's figure is the same alone."""
    fields = {"data": "synthetic", "window": 6, "d_model": 8, "readout": "last", "epochs": 1, "batch": 1024, "teachers": 2}
    names = [f"airu-6-8-{bits}bit-last" for bits in (4, 3)]
    monkeypatch.setattr("liteformer.flow.publish.results_train.entries",
                        lambda: [(name, fields | {"bits": bits}) for name, bits in zip(names, (4, 3))])
    lacking = _other(small)
    del lacking["rmse"]["ensemble"]
    for name in names:
        (tmp_path / f"{name}.json").write_text(json.dumps(lacking))
    stages = []
    monkeypatch.setattr(run, "fit", lambda *args, fit=run.fit, **more: stages.append(args[6]) or fit(*args, **more))
    teach_stored(names[1:], 1, folder=tmp_path, workers=InProcess)
    assert stages == ["float", "teacher"]
    one = json.loads((tmp_path / f"{names[1]}.json").read_text())["rmse"].pop("ensemble")
    (tmp_path / f"{names[1]}.json").write_text(json.dumps(lacking))
    teach_stored(seeds=2, folder=tmp_path, workers=InProcess)
    assert stages[2:] == ["float", "teacher"] * 2
    for name in names:
        stored = json.loads((tmp_path / f"{name}.json").read_text())
        ensemble = stored["rmse"].pop("ensemble")
        assert stored == lacking and ensemble["values"][0] == one != ensemble["values"][1]
    teach_stored(seeds=2, folder=tmp_path, workers=lambda *_: pytest.fail("trained again"))
    with pytest.raises(LiteFormerError, match="there is no result moon; there are: airu-6-8-4bit-last, "):
        teach_stored(["moon"], folder=tmp_path)


def test_entries_that_differ_in_bits_share_their_float_networks():
    groups = together(dict(entries()))
    assert len(groups) == 12 and all(len(group) == 4 for group in groups)
    assert groups[0][0] == "airu-12-64-4bit-mean" and "pems" in groups[-1][0]
    assert together(["pems-12-32-4bit-last", "pems-12-32-3bit-last"]) == [["pems-12-32-4bit-last", "pems-12-32-3bit-last"]]
    for group in groups:
        fields = [dict(entries())[name] for name in group]
        assert all(one | {"bits": 0} == fields[0] | {"bits": 0} for one in fields)


def test_page_in_the_repository_is_that_of_its_figures():
    stored = results.load()
    if not stored:
        pytest.skip("no figures are stored yet")
    assert results.PAGE.read_text() == results.page(stored), "run make results"
    readme = results.README.read_text()
    assert fill(readme, "accuracy", results.headline(stored)) == readme, "run make results"
    assert fill(readme, "accuracy", results.headline(dict(list(stored.items())[:1]))) != readme
