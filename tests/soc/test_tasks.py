# SPDX-License-Identifier: BSD-2-Clause
"""Classes and alarms: the C functions against the Python ones, the firmware with the stand-in core, and the whole SoC."""

import ctypes
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from .stand_in import StandInCore

import liteformer.sw
from liteformer.accel import decision, golden
from liteformer.accel.calibration import MAX_GAIN
from liteformer.accel.compiler import HardwareOptions, compile_model, memories
from liteformer.accel.model import AnomalySettings
from liteformer.accel.random_model import random_model
from liteformer.soc.generate import write_verilog
from liteformer.soc.model_header import model_header
from liteformer.soc.platform import simulation_platform
from liteformer.soc.simulation import Simulation
from liteformer.soc.soc import LiteFormerSoC

SOURCES = Path(liteformer.sw.__file__).parent
INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
EDGES = [-(1 << 31), (1 << 31) - 1, -1, 0, 1, 0xFFFF, 0x10000, -0xFFFF, -0x10000]


def model_for(task, **changes):
    """A random model with the settings of a task; "calibrated" is an anomaly model that learns its residuals from 4 rows."""
    learned = {"calibration": 1, "level": 4000} if task == "calibrated" else {}
    task = "anomaly" if learned else task
    shape = {"window": 4, "features": 3, "d_model": 8, "bits": 4, "outputs": 3 if task == "classification" else 2}
    model = random_model(np.random.default_rng(5), **shape | changes)
    scales = {"raw_scale": [4.0, 1.0, 1.0]} if task == "anomaly" else {}
    alarms = AnomalySettings(shifts=[2, 0], gains=[1, 0], smoothing=2, threshold=40_000, **learned)
    extra = {"class_names": ["a", "b", "c"]} if task == "classification" else {"anomaly": alarms} if task == "anomaly" else {}
    return replace(model, config=type(model.config)(**model.config.model_dump() | {"task": task} | scales | extra))


def series(count, model, spread=20_000):
    """Raw windows of a running series and, after two thirds, a jump to another."""
    rng, config = np.random.default_rng(6), model.config
    parts = [rng.integers(-spread, spread, (rows + config.window - 1, config.features))
             for rows in (2 * count // 3, count - 2 * count // 3)]
    return np.concatenate([np.lib.stride_tricks.sliding_window_view(part, (config.window, config.features))[:, 0]
                           for part in parts])


class Anomaly(ctypes.Structure):
    """struct liteformer_anomaly."""

    _fields_ = [*((name, ctypes.POINTER(ctypes.c_uint8)) for name in ("features", "shifts", "gains")),
                ("targets", ctypes.c_uint8), ("smoothing", ctypes.c_uint8), ("threshold", ctypes.c_uint32),
                ("score", ctypes.c_uint32), ("calibration", ctypes.c_uint8), ("seen", ctypes.c_uint16),
                ("level", ctypes.c_uint32), ("means", ctypes.POINTER(ctypes.c_int32)),
                ("spreads", ctypes.POINTER(ctypes.c_uint32))]


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """sw/decision.c as a shared library of this machine."""
    library = tmp_path_factory.mktemp("decision") / "decision.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined",
                    "-fsanitize-undefined-trap-on-error", f"-I{SOURCES}", str(SOURCES / "decision.c"), "-o", str(library)],
                   check=True)
    return ctypes.CDLL(str(library))


@given(st.lists(INT32 | st.sampled_from(EDGES), min_size=1, max_size=64))
@settings(deadline=None)
def test_argmax_in_c_is_argmax(driver, outputs):
    assert driver.liteformer_argmax((ctypes.c_int32 * len(outputs))(*outputs), len(outputs)) == decision.argmax([outputs])[0]


def test_argmax_takes_the_first_of_equals(driver):
    assert driver.liteformer_argmax((ctypes.c_int32 * 4)(-3, 5, 5, 1), 4) == 1 == decision.argmax([[-3, 5, 5, 1]])[0]


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_anomaly_in_c_is_that_of_python(driver, data):
    targets, features = data.draw(st.integers(1, 5)), 4
    columns = data.draw(st.lists(st.integers(0, features - 1), min_size=targets, max_size=targets))
    gains = data.draw(st.lists(st.integers(0, MAX_GAIN), min_size=targets, max_size=targets))
    shifts = data.draw(st.lists(st.integers(0, decision.MAX_SHIFT), min_size=targets, max_size=targets))
    smoothing, threshold = data.draw(st.integers(0, decision.MAX_SMOOTHING)), data.draw(st.integers(0, (1 << 31) - 1))
    value = st.sampled_from(EDGES) | INT32 | st.integers(-100, 100)
    calibration, level = data.draw(st.integers(0, 2)), data.draw(st.integers(0, 1 << 19) | st.integers(0, (1 << 31) - 1))
    rows = data.draw(st.lists(st.lists(value, min_size=features, max_size=features), min_size=2, max_size=16))
    forecasts = data.draw(st.lists(st.lists(value, min_size=targets, max_size=targets), min_size=len(rows),
                                   max_size=len(rows)))
    anomaly = Anomaly(*((ctypes.c_uint8 * targets)(*values) for values in (columns, shifts, gains)), targets, smoothing,
                      threshold, 0, calibration, 0, level, (ctypes.c_int32 * targets)(), (ctypes.c_uint32 * targets)())
    answers = [(0, 0)]
    for forecast, row in zip(forecasts, rows[1:]):
        update = driver.liteformer_anomaly_learn if calibration else driver.liteformer_anomaly_update
        alarm = update(ctypes.byref(anomaly), (ctypes.c_int32 * targets)(*forecast), (ctypes.c_int32 * features)(*row))
        answers.append((anomaly.score, alarm))
    config = SimpleNamespace(task="anomaly", target_features=columns, anomaly=SimpleNamespace(
        shifts=shifts, gains=gains, smoothing=smoothing, threshold=threshold, calibration=calibration, level=level))
    expected = decision.decide(config, np.array(forecasts), np.array(rows)[:, None])
    assert expected.tolist() == [list(answer) for answer in answers]


def test_the_score_cannot_overflow():
    """The largest total, held for long, at every smoothing."""
    for smoothing in range(decision.MAX_SMOOTHING + 1):
        scores = decision.smooth(np.full((2000, 64), 0xFFFF), np.arange(2000) > 0, [7] * 64, smoothing)
        assert scores[0] == 0 and scores.max() < 1 << 31


@pytest.mark.parametrize("cpu", ["vexriscv", "serv"])
@pytest.mark.parametrize("task", ["classification", "anomaly", "calibrated"])
def test_decisions_of_the_firmware(simulate, cpu, task):
    """With the stand-in core: a decision that turns on single counts, on both processors."""
    model = model_for(task)
    core = StandInCore(4, 3, model.config.outputs)
    core.compiled = SimpleNamespace(model=model, hw=SimpleNamespace(loadable=False, read_ports=2, quads=[]))
    raw = series(12, model, spread=3000)
    result = simulate(core, cpu=cpu).infer(raw)
    expected = decision.decide(model.config, core.expected(raw), raw)
    assert np.array_equal(result.decisions, expected)
    assert len(np.unique(expected)) > 1
    wrong = raw.copy()
    wrong[5] = -wrong[5]
    assert not np.array_equal(decision.decide(model.config, core.expected(wrong), wrong, decision.continues(raw)), expected)


@pytest.mark.parametrize("task", ["classification", "anomaly"])
def test_decisions_of_the_whole_soc(task):
    model = model_for(task)
    raw = series(24, model)
    with Simulation(compile_model(model)) as simulation:
        result = simulation.infer(raw)
        info = simulation.client.info()
        again = simulation.client.result()
    outputs = golden.infer(model, raw)
    expected = decision.decide(model.config, outputs, raw)
    assert info.task == task
    assert np.array_equal(result.outputs, outputs) and np.array_equal(result.decisions, expected)
    assert np.array_equal(again.decision, expected[-1])
    last = expected[:, -1]
    assert len(np.unique(last)) == (3 if task == "classification" else 2)


def test_a_wrong_threshold_is_seen(simulate):
    """Negative control: the firmware of a model whose threshold is lower raises other alarms at the same scores."""
    model = model_for("anomaly")
    lower = replace(model, config=model.config.model_copy(
        update={"anomaly": model.config.anomaly.model_copy(update={"threshold": 10_000})}))
    core = StandInCore(4, 3, model.config.outputs)
    core.compiled = SimpleNamespace(model=lower, hw=SimpleNamespace(loadable=False, read_ports=2, quads=[]))
    raw = series(24, model, spread=3000)
    decisions = simulate(core).infer(raw).decisions
    expected = decision.decide(model.config, core.expected(raw), raw)
    assert np.array_equal(decisions[:, 0], expected[:, 0]) and (decisions[:, 1] != expected[:, 1]).any()


@pytest.mark.parametrize("cpu", ["vexriscv", "serv"])
@pytest.mark.parametrize("task", ["forecast", "classification", "anomaly", "calibrated"])
@pytest.mark.parametrize("loadable", [False, True])
def test_firmware_of_every_task_fits(tmp_path, cpu, task, loadable):
    core = StandInCore()
    core.compiled = compile_model(model_for(task), HardwareOptions(loadable=loadable))
    soc = LiteFormerSoC(simulation_platform(), 1e8, core, cpu_type=cpu)
    write_verilog(soc, tmp_path)
    config = core.compiled.model.config
    bound = memories.firmware_bytes(config.features, config.outputs, loadable, config.calibrated)
    assert bound - 512 < len(soc.firmware) <= bound <= soc.integrated_rom_size
    assert soc.integrated_rom_size == (8192 if loadable and config.calibrated else 4096)
    assert f"/* {config.task} */" in (tmp_path / "software" / "include" / "generated" / "model.h").read_text()


def test_a_core_without_a_model_forecasts():
    assert "#define LITEFORMER_TASK 0 /* forecast */" in model_header(None)
