# SPDX-License-Identifier: BSD-2-Clause
"""The page of the benchmark: what it says follows from the stored figures; what is stored is not measured again."""

import json
from types import SimpleNamespace

import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.markdown import fill
from liteformer.flow.publish import benchmark, benchmark_points
from liteformer.train.loop import seeds
from liteformer.train.loop.options import TrainOptions

HARDWARE = {"cycles": 932, "latency_us": 9.32, "mismatches": 0, "windows": 16, "luts": 5000, "bram36": 8.0, "dsp": 20,
            "energy_uj": 1.13, "device": "xc7s15"}
OWN = {"mean": 2.0, "std": 0.1, "values": [1.9, 2.1], "low": 1.8, "high": 2.2}


def entry(errors, **more):
    return {"task": "forecast", "rmse": errors, "parameters": 12971, "hardware": HARDWARE,
            "options": {"window": 24, "patch": 2, "stride": 2, "bits": 4}} | more


def cells(text, start):
    return [cell.strip() for cell in next(line for line in text.splitlines() if line.startswith(start)).strip("|").split("|")]


def test_names_and_options():
    """Every point is a valid training; its name names its task."""
    known = benchmark_points.points()
    assert len(known) == len(benchmark_points.TASKS) * 3
    for name, fields in known.items():
        TrainOptions(**fields)
        assert benchmark_points.task_of(name) in benchmark_points.TASKS


def test_rows_bold_and_losses():
    stored = {"etth1-1-4bit": entry({"integer": OWN, "persistence": 2.5, "least_squares": 1.9, "nlinear": None,
                                     "lightgbm": {"mean": 1.5, "std": 0.2}, "mlp": 2.0})}
    row = cells(benchmark.forecasts(stored), "| ETTh1")
    assert row[:11] == ["ETTh1: OT, 1 step", "24 in 2/2", "4", "2.000 ± 0.100", "1.800 to 2.200", "2.500", "1.900", "",
                        "**1.500 ± 0.200**", "2.000", ""]
    assert row[11:] == ["12,971", "932", "9.32", "1.13"]
    assert benchmark.losses(stored) == ("- ETTh1: OT, 1 step, 4 bits (2.000 ± 0.100): LightGBM 1.500, least squares 1.900 "
                                        "(inside the interval).")
    stored["etth1-1-4bit"]["rmse"] |= {"lightgbm": 3.0, "least_squares": 3.0}
    assert "**2.000 ± 0.100**" in benchmark.forecasts(stored)
    assert benchmark.losses(stored) == "No stored point has a baseline that is better."


def test_the_readme_shows_the_forecasts_of_one_width():
    stored = {"etth1-1-4bit": entry({"integer": OWN, "mlp": 1.5})}
    stored["etth1-1-8bit"] = entry({"integer": 1.0}, options=stored["etth1-1-4bit"]["options"] | {"bits": 8})
    stored["skab-4bit"] = stored["etth1-1-4bit"] | {"task": "anomaly"}
    text = benchmark.headline(stored)
    assert len(text.splitlines()) == 3
    assert cells(text, "| ETTh1") == ["ETTh1: OT, 1 step", "24 in 2/2", "2.000 ± 0.100", "", "", "", "", "**1.500**", "", "932"]
    text = benchmark.README.read_text()
    assert fill(text, "benchmark", benchmark.headline(benchmark.load())) == text
    assert fill(text, "benchmark", benchmark.headline(stored)) != text


def test_classes_steps_and_what_is_missing():
    lower = {"accuracy": {"integer": OWN | {"mean": 0.9}, "float": 0.95, "logistic_regression": 0.985, "majority": 0.6}}
    steps = {"rmse_by_step": {"integer": [OWN] * 4, "persistence": [1.0, 2.0, 3.0, 4.0], "mlp": None}}
    stored = {"occupancy-4bit": lower | {"task": "classification", "parameters": 5, "hardware": {"refused": "too big"},
                                         "options": {"window": 12, "patch": 1, "bits": 4}},
              "taxi-48-4bit": entry({"integer": OWN}, **steps)}
    row = cells(benchmark.decisions(stored), "| Occupancy")
    assert row[6:] == ["most frequent class 0.600, logistic regression 0.985", "5", "does not fit", "", ""]
    assert benchmark.losses(stored).startswith("- Occupancy: occupied or not, 4 bits (0.900 ± 0.100): logistic")
    assert [line.split("|")[4].strip() for line in benchmark.steps(stored).splitlines()[2:]] == ["1", "2", "4"]
    said = benchmark.absent(stored)
    assert said.startswith("2 of 33 points are stored.") and "airu-4bit" in said and "taxi-48-4bit" not in said


def test_the_page_has_a_place_for_all():
    text = benchmark.page(benchmark.PAGE.read_text(), {})
    assert text.count("No point") >= 3 and "0 of 33 points are stored" in text
    with pytest.raises(ValueError, match="0 blocks points"):
        benchmark.page("no blocks", {})


def test_unknown_names_and_stored_points(tmp_path):
    with pytest.raises(LiteFormerError, match="there is no point mars; there are: airu-4bit, "):
        benchmark_points.missing(["mars"])
    (tmp_path / "airq-8bit.json").write_text(json.dumps({}))
    assert benchmark_points.missing(["airq"], tmp_path) == ["airq-4bit", "airq-3bit"]
    assert benchmark_points.missing(["airq-8bit"], tmp_path) == []
    benchmark_points.measure_missing(["airq-8bit"], tmp_path, workers=None)
    assert [path.name for path in tmp_path.iterdir()] == ["airq-8bit.json"]


def test_baselines_of_another_width():
    """They are taken where nothing but the integer model differs, and complete the summary of an entry."""
    stored = entry({"integer": 1.0, "mlp": 2.5, "gru": 1.9, "nlinear": None}, seeds=[1, 2],
                   rmse_by_step={"integer": [1.0], "gru": [1.9]})
    stored["options"] |= {"path": "a.csv", "seed": 1, "window": 24}
    mine = {"options": stored["options"] | {"bits": 8, "path": "/b/a.csv", "seed": 2}, "rmse": {"integer": 2.0, "mlp": 2.5},
            "rmse_by_step": {"integer": [2.0], "gru": None}, "seeds": [1, 2], "behind": None}
    assert benchmark_points.same_baselines(mine, stored)
    assert not benchmark_points.same_baselines(mine | {"rmse": {"integer": 2.0, "mlp": 2.5000001}}, stored)
    assert not benchmark_points.same_baselines(mine | {"seeds": [1, 2, 3]}, stored)
    assert not benchmark_points.same_baselines(mine | {"options": mine["options"] | {"window": 12}}, stored)
    whole = benchmark_points.with_baselines(mine, stored)
    assert whole["rmse"] == {"integer": 2.0, "mlp": 2.5, "gru": 1.9, "nlinear": None}
    assert whole["rmse_by_step"] == {"integer": [2.0], "gru": [1.9]}
    assert whole["behind"].endswith("on the test set: a GRU of the same size (1.900)")


def test_stored_widths_of_a_task_have_the_same_float_figures():
    stored = benchmark.load()
    for task in benchmark_points.TASKS:
        figures = [{name: value for name, value in stored[point]["rmse"].items() if name not in ("integer", "qat")}
                   for point in stored if benchmark_points.task_of(point) == task and "rmse" in stored[point]]
        assert all(one == figures[0] for one in figures), task


def test_only_forecasts_have_baselines_to_share(tmp_path, monkeypatch):
    """Negative control: the second width of a forecast is trained without them."""
    asked = []

    def train_seeds(options, *_, **__):
        asked.append((options.bits, options.neighbours))
        metrics = {"task": options.task, "options": options.model_dump(), "seeds": [1]}
        figures = {"rmse": {"mlp": 1.0, "integer": 2.0}, "behind": None} if options.task == "forecast" else {"accuracy": {}}
        return SimpleNamespace(metrics=metrics | figures)

    monkeypatch.setattr(seeds, "train_seeds", train_seeds)
    monkeypatch.setattr(benchmark_points, "hardware_figures", lambda run: {})
    monkeypatch.setattr(benchmark_points, "TASKS", {"kinds": ("", {"task": "classification"}),
                                                    "small": ("", {})})
    task = {"seeds": 1, "folder": str(tmp_path), "builds": str(tmp_path / "builds"), "options": {}}
    for name in ("kinds", "small"):
        benchmark_points.measure_group(task, [f"{name}-4bit", f"{name}-8bit"])
    assert asked == [(4, "all"), (8, "all"), (4, "all"), (8, "none")]
    assert len(list(tmp_path.glob("*.json"))) == 4


@pytest.mark.slow
def test_a_point_is_trained_measured_and_stored(tmp_path, monkeypatch):
    """On built-in data, with its cycles on the simulated SoC; a second call measures nothing, another width trains no float
    network and has the float figures of a training of its own."""
    monkeypatch.setattr(benchmark_points, "TASKS", {"small": ("Small", {"window": 6, "d_model": 8})})
    options = {"epochs": 1, "qat_epochs": 1, "teachers": 2, "neighbours": "quick", "skip": "none", "refit_epochs": 1}
    task = {"seeds": 2, "folder": str(tmp_path), "builds": str(tmp_path / "builds"), "options": options}
    benchmark_points.measure_group(task, ["small-4bit"])
    stored = json.loads((tmp_path / "small-4bit.json").read_text())
    assert stored["hardware"]["mismatches"] == 0 and stored["hardware"]["cycles"] > 0 < stored["hardware"]["energy_uj"]
    assert "history" not in stored and stored["options"]["bits"] == 4 and len(stored["rmse"]["integer"]["values"]) == 2
    assert benchmark_points.missing(["small-4bit"], tmp_path) == []
    kept = sorted((tmp_path / "builds" / "float" / "small").iterdir())
    before = [path.stat().st_mtime_ns for path in kept]
    benchmark_points.measure_group(task, ["small-8bit"])
    assert sorted((tmp_path / "builds" / "float" / "small").iterdir()) == kept
    assert [path.stat().st_mtime_ns for path in kept] == before
    other = json.loads((tmp_path / "small-8bit.json").read_text())["rmse"]
    alone = seeds.train_seeds(TrainOptions(**benchmark_points.points()["small-8bit"] | options, out=str(tmp_path / "alone")), 2)
    assert other == alone.metrics["rmse"] and other["integer"] != stored["rmse"]["integer"]
