# SPDX-License-Identifier: BSD-2-Clause
"""What the exploration finds out about one point: at each fidelity, and where it cannot be."""

import json

import pytest

from liteformer.accel.compiler import memories
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.model import QuantizedModel
from liteformer.flow.explore import cost, evaluate
from liteformer.flow.measure import hardware

pytest.importorskip("optuna", reason="Optuna is not installed (extra explore)")

POINT = {"window": 4, "d_model": 8, "bits": 4, "heads": 1, "layers": 1, "ffn_ratio": 1, "readout": "last", "lanes": "auto",
         "cpu": "vexriscv"}


def task(tmp_path, **changes):
    return {"data": {"data": "synthetic", "epochs": 1}, "device": "xc7s15", "fidelity": "model", "objectives": ["latency"],
            "out": str(tmp_path)} | changes


def test_a_point_of_the_model(tmp_path):
    figures = evaluate.evaluate(task(tmp_path), POINT)["figures"]
    fewer = evaluate.evaluate(task(tmp_path), POINT | {"lanes": "8", "cpu": "serv"})["figures"]
    assert figures["array"] > fewer["array"] and figures["cycles"] < fewer["cycles"] and figures["luts"] > fewer["luts"]
    assert figures["latency_us"] == figures["cycles"] / 100 and figures["end_to_end_us"] > figures["latency_us"]
    assert "rmse_proxy" not in figures and not list(tmp_path.iterdir())


@pytest.mark.parametrize("change, words", [({"d_model": 128, "bits": 8}, "array for this model needs about"),
                                           ({"heads": 3}, "d_model 8 is not divisible by 3 heads")])
def test_a_point_that_cannot_be(tmp_path, change, words):
    result = evaluate.evaluate(task(tmp_path), POINT | change)
    assert result["state"] == "infeasible" and words in result["reason"] and result["excess"] > 0


@pytest.fixture
def measured(monkeypatch):
    """The hardware's answers as constants; a test may change them."""
    soc = {"mismatches": 0, "cycles": {"accelerator": 300, "end_to_end": 500}}
    area = {"lut": 7000, "lut_sites": 6000, "lutram": 500, "ff": 5000, "bram36": 6.5, "dsp": 12, "fits": True, "exceeds": []}
    monkeypatch.setattr(hardware, "run_soc", lambda *_, **__: (soc, None))
    monkeypatch.setattr(hardware, "soc_area", lambda *_: area)
    return soc, area


def test_a_trained_and_measured_point(tmp_path, measured):
    result = evaluate.evaluate(task(tmp_path, fidelity="train", objectives=["rmse", "energy"]), POINT)
    figures = result["figures"]
    metrics = json.loads(next(tmp_path.glob("runs/*/metrics.json")).read_text())
    assert figures["rmse"] == metrics["validation"]["integer"] != metrics["rmse"]["integer"]
    assert (figures["latency_us"], figures["end_to_end_us"], figures["luts"], figures["ff"]) == (3.0, 5.0, 7000, 5000)
    assert 0 < figures["energy_uj"] < 5
    again = evaluate.evaluate(task(tmp_path, fidelity="train", objectives=["rmse", "energy"]), POINT)
    assert again == result and len(list(tmp_path.glob("runs/*"))) == 1


@pytest.mark.parametrize("kind", [pytest.param("classification", marks=pytest.mark.slow), "anomaly"])
def test_a_point_of_another_task(tmp_path, measured, kind):
    """The error is that of the decisions on the validation part, not on the test set."""
    data = {"data": "synthetic", "task": kind, "epochs": 2}
    result = evaluate.evaluate(task(tmp_path, data=data, fidelity="train", objectives=["error"]), POINT | {"window": 8})
    assert result["state"] == "ok", result
    metrics = json.loads(next(tmp_path.glob("runs/*/metrics.json")).read_text())
    assert result["figures"]["error"] == metrics["validation"]["integer"] and 0 <= result["figures"]["error_proxy"] < 1
    test = metrics["accuracy" if kind == "classification" else "f1"]["integer"]
    assert "rmse" not in result["figures"] and result["figures"]["error"] != 1 - test
    short = QuantizedModel.load(next(tmp_path.glob("short/*.safetensors")))
    assert short.config.task == kind and short.provenance["validation_error"] == result["figures"]["error_proxy"]


def test_what_the_measurement_refuses(tmp_path, measured):
    """Negative controls: a SoC that is too large, and one that computes something else."""
    soc, area = measured
    area |= {"lut_sites": 8800, "fits": False, "exceeds": ["8,800 LUT sites (800 too many)"]}
    result = evaluate.evaluate(task(tmp_path, fidelity="simulate"), POINT)
    assert (result["state"], round(result["excess"], 3)) == ("infeasible", 0.1) and "8,800 LUT sites" in result["reason"]
    soc["mismatches"] = 1
    result = evaluate.evaluate(task(tmp_path, fidelity="simulate"), POINT)
    assert result["state"] == "failed" and "differ from the golden model" in result["reason"]


@pytest.mark.parametrize("fidelity", ["model", "simulate", "train"])
def test_firmware_that_does_not_fit_is_a_point_that_does_not_fit(tmp_path, monkeypatch, fidelity):
    monkeypatch.setattr(memories, "FIRMWARE_BYTES", memories.ROM_SIZES[-1])
    result = evaluate.evaluate(task(tmp_path, fidelity=fidelity), POINT)
    assert result["state"] == "infeasible" and result["excess"] > 0
    assert "the SoC has at most 8192; train with fewer features" in result["reason"]


def test_firmware_larger_than_foreseen_does_not_end_the_search(tmp_path, monkeypatch):
    """The linker finds it while the SoC is built. What is no property of the point, such as a missing tool, ends the search."""
    monkeypatch.setattr(memories, "ROM_SIZES", (1024,))
    monkeypatch.setattr(memories, "FIRMWARE_BYTES", 0)
    result = evaluate.evaluate(task(tmp_path, fidelity="simulate"), POINT)
    assert result["state"] == "infeasible" and result["excess"] > 0
    assert "the firmware does not fit its ROM of 1024 bytes" in result["reason"]
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LiteFormerError, match="no compiler for the vexriscv CPU found"):
        evaluate.evaluate(task(tmp_path, fidelity="simulate"), POINT)


def test_the_data_of_two_points(tmp_path):
    """Read once for points that differ in size only; with a persistence skip the raw scale depends on the size."""
    def scale(**changes):
        point = POINT | {key: value for key, value in changes.items() if key in POINT}
        data = {"data": "synthetic", "skip": changes.get("skip", "none")}
        return evaluate.dataset_of(evaluate.options_of(task(tmp_path, data=data), point))
    assert scale() is scale(d_model=64, bits=8) and scale() is not scale(window=5)
    narrow, wide = scale(skip="persistence", bits=2), scale(skip="persistence", bits=8, d_model=64)
    assert narrow.raw_scale[0] < wide.raw_scale[0]


def test_bad_data_end_the_search(tmp_path):
    """They are no property of a point."""
    with pytest.raises(LiteFormerError, match="no file"):
        evaluate.evaluate(task(tmp_path, data={"data": "csv", "path": "none.csv", "target": ["x"]}), POINT)


@pytest.mark.slow
@pytest.mark.parametrize("cpu", cost.CPUS)
def test_the_cost_model_against_simulation_and_synthesis(tmp_path, cpu):
    point = POINT | {"cpu": cpu}
    model, real = (evaluate.evaluate(task(tmp_path, fidelity=fidelity), point)["figures"] for fidelity in ("model", "simulate"))
    assert model["cycles"] == real["cycles"]
    assert model["end_to_end_us"] == pytest.approx(real["end_to_end_us"], rel=0.1)
    assert model["luts"] == pytest.approx(real["luts"], rel=0.15)
