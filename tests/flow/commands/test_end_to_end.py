# SPDX-License-Identifier: BSD-2-Clause
"""The whole way through the command line: a trained model on the simulated SoC, and what a wrong weight does there."""

import json
import re
import shutil

import numpy as np
import pytest

from liteformer.accel.model import QuantizedModel
from liteformer.accel.random_model import random_model
from liteformer.flow.measure import hardware


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Directory of a small 4-bit model trained for an epoch on the built-in series."""
    from liteformer.train.loop.options import TrainOptions
    from liteformer.train.loop.run import train
    out = tmp_path_factory.mktemp("run") / "tiny"
    train(TrainOptions(window=4, d_model=8, bits=4, epochs=1, batch=256, teachers=1, neighbours="quick", out=str(out)))
    return out


def test_evaluate(run, trained):
    """The SoC's forecasts are the integer model's; its error over the first windows is therefore the same number."""
    code, out, err = run("evaluate", trained, "--soc", 12, "--json")
    result = json.loads(out)
    assert (code, result["windows"], result["mismatches"]) == (0, 12, 0)
    assert result["behind"].startswith("better than this model (RMSE ") and result["behind"] in " ".join(err.split())
    from liteformer.train.loop.run import load_run
    data = load_run(trained)
    first = (data.integer_prediction() - data.test_truth)[:12]
    assert result["rmse"]["soc"] == pytest.approx(np.sqrt(np.mean(first ** 2)), rel=1e-12)
    assert result["rmse"]["integer"] == pytest.approx(data.metrics["rmse"]["integer"], rel=1e-9)
    assert result["test_windows"] == len(data.test_raw)
    names = ("float", "qat", "mlp", "least_squares", "nlinear", "lightgbm")
    assert {name: result["rmse"][name] for name in names} == pytest.approx(
        {name: data.metrics["rmse"][name] for name in names}, rel=1e-6)
    assert "explain" not in result


def test_evaluate_explains(run, trained):
    code, out, _ = run("evaluate", trained, "--explain", "--json")
    report = json.loads(out)["explain"]["qat"]
    assert code == 0 and report["differing"] <= report["departing"] < report["windows"]
    code, out, _ = run("evaluate", trained, "--explain")
    assert code == 0 and f"output differs in {report['differing']} of" in " ".join(out.split())


def test_evaluate_more_windows_than_there_are(run, trained):
    code, out, err = run("evaluate", trained, "--soc", 10**6)
    assert (code, out) == (2, "")
    assert "fewer than the 1000000 asked for" in err.splitlines()[-1]


def test_a_wrong_weight_is_seen(run, trained, monkeypatch):
    """Negative control: the core gets a model that differs in one weight, the golden model does not."""
    compile_model = hardware.compile_model

    def compile_altered(model, **overrides):
        tensors = {name: tensor.copy() for name, tensor in model.tensors.items()}
        weight = tensors["head.weight"]
        weight.flat[0] += 1 if weight.flat[0] < 0 else -1
        return compile_model(QuantizedModel(model.config, tensors), **overrides)

    monkeypatch.setattr(hardware, "compile_model", compile_altered)
    code, out, _ = run("simulate", trained, "--windows", 12, "--json")
    assert code == 0 and json.loads(out)["mismatches"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(("bits", "bits_of"), [(3, "ffn=2,attention=4"), (2, "hidden=3,head.weight=5,input=6")])
def test_mixed_widths_on_the_soc(run, tmp_path, bits, bits_of):
    """Trained and exported at 2 and 3 bits with other widths between, then bit-exact on the simulated SoC."""
    code, out, err = run("train", "--window", 4, "--d-model", 8, "--bits", bits, "--bits-of", bits_of, "--epochs", 1,
                         "--neighbours", "none",
                         "--teachers", 1, "--batch", 256, "--out", tmp_path / "mixed", "--json")
    assert code == 0, err
    widths = QuantizedModel.load(tmp_path / "mixed").config.bits
    assert len(set(widths.values())) >= 4
    code, out, err = run("evaluate", tmp_path / "mixed", "--soc", 12, "--json")
    result = json.loads(out)
    assert (code, result["windows"], result["mismatches"]) == (0, 12, 0)
    assert result["rmse"]["qat"] == pytest.approx(result["rmse"]["integer"], rel=0.005)


@pytest.mark.slow
def test_simulate_with_trace(run, trained, tmp_path):
    trace = tmp_path / "one.fst"
    code, out, _ = run("simulate", trained, "--windows", 1, "--trace", trace, "--json")
    result = json.loads(out)
    assert (code, result["windows"], result["mismatches"]) == (0, 1, 0)
    assert trace.stat().st_size > 1000
    assert 0 < result["cycles"]["accelerator"] < result["cycles"]["end_to_end"] < result["cycles"]["total"]
    assert result["cycles_per_second"] > 0


@pytest.mark.slow
def test_simulate_on_serv(run, trained):
    code, out, _ = run("simulate", trained, "--cpu", "serv", "--windows", 2, "--json")
    assert code == 0 and json.loads(out)["mismatches"] == 0


@pytest.mark.slow
def test_bench_of_random_weights(run):
    """A shape that fits nothing neatly; utilization follows from macs, lanes and cycles."""
    code, out, _ = run("bench", "--window", 5, "--d-model", 12, "--bits", 5, "--features", 3, "--heads", 2, "--layers", 2,
                       "--outputs", 2, "--readout", "mean", "--windows", 6, "--no-area", "--json")
    result = json.loads(out)
    assert (code, result["windows"], result["mismatches"]) == (0, 6, 0)
    cycles = result["cycles"]["accelerator"]
    assert result["utilization"] == round(result["macs"] / (result["lanes"] * cycles), 4)
    assert result["latency_us"] == cycles / 100


@pytest.mark.slow
def test_area_of_the_soc():
    """The whole SoC is counted: more than the CPU's share, 1,300 LUTs and flip-flops, ROM, RAM and registers in block RAM."""
    model = random_model(np.random.default_rng(1), window=2, features=2, d_model=4, bits=4)
    area = hardware.soc_area(hardware.compile_model(model, rows=2, columns=1, dsp_lanes=0))
    assert area["fits"] and 1500 < area["lut"] < 8000
    assert area["bram36"] >= 2 and 1300 < area["ff"] < 16000


@pytest.mark.parametrize("hidden, package", [("verilator", "verilator"), ("riscv", "gcc-riscv64-unknown-elf")])
def test_missing_tool(run, trained, tmp_path, monkeypatch, hidden, package):
    """Without Verilator or the compiler: one sentence with the package to install, and no file."""
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, *more, **options: None if name.startswith(hidden)
                        else which(name, *more, **options))
    monkeypatch.chdir(tmp_path)
    code, out, err = run("simulate", trained, "--windows", 1)
    assert (code, out) == (2, "")
    sentence = err.splitlines()[-1]
    assert sentence.startswith("error: ") and re.search(rf"apt-get install .*\b{package}\b", sentence)
    assert not list(tmp_path.iterdir())


def test_empty_path(run, trained, tmp_path, monkeypatch):
    """The same with the real search: nothing is on PATH."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(tmp_path)
    code, out, err = run("simulate", trained, "--windows", 1)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("error: ") and "apt-get install" in err.splitlines()[-1]
    assert not list(tmp_path.iterdir())
