# SPDX-License-Identifier: BSD-2-Clause
"""The exploration: what is on the front, stopping and going on, what it says on bad input, the model that it hands over."""

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from liteformer.flow.common import workers
from liteformer.flow.common.inputs import hardware_of, load_model
from liteformer.flow.explore import front, objectives, space
from liteformer.flow.measure import hardware

from ... import names

optuna = pytest.importorskip("optuna", reason="Optuna is not installed (extra explore)")
SMALL = ("--window", "4", "--d-model", "8", "--heads", "1", "--ffn-ratio", "1")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Every command runs in an empty folder, so that a test can say what is left in it."""
    monkeypatch.chdir(tmp_path)


def made_up(point):
    """Figures of a point as a formula: an error that falls and a time that grows with size, and what is too large."""
    cost_of = point["window"] * point["d_model"] * point["ffn_ratio"]
    if point["d_model"] == 64 and point["bits"] > 6:
        return {"state": "infeasible", "reason": "too large", "excess": 1.0, "figures": {}}
    error = 3 + 40 / cost_of + 8 / point["bits"] ** 2 + 0.01 * point["heads"]
    time = cost_of / 10 * (1 + point["bits"] / 32)
    return {"state": "ok", "figures": {
        "rmse_proxy": error, "rmse": error, "error_proxy": error / 100, "latency_us": time, "end_to_end_us": time + 2,
        "luts": 2000 + 90 * cost_of, "bram36": 4.0, "dsp": 20, "array": "4x4"}}


class Here:
    """A worker in this process; ``asked`` lists its points, after ``stop_after`` of them Ctrl-C is pressed."""

    jobs, asked, stop_after = 2, [], None

    def __init__(self, *_):
        self._waiting = []

    def submit(self, number, task, point):
        Here.asked.append(point)
        self._waiting.append((number, made_up(point)))

    def finished(self, timeout):
        if Here.stop_after is not None and len(Here.asked) > Here.stop_after:
            raise KeyboardInterrupt
        done, self._waiting = self._waiting, []
        return done

    def stop(self):
        pass

    close = stop


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(workers, "Processes", Here)
    Here.asked, Here.stop_after = [], None
    return Here


def dominated(front_rows, rows, columns):
    """Rows that beat a row of the front, written apart from the code under test."""
    def figures(row):
        return [row["figures"][name] for name in columns]
    return [row for row in rows for other in front_rows
            if all(a <= b for a, b in zip(figures(row), figures(other))) and figures(row) != figures(other)]


# The front ----------------------------------------------------------------------------------------

def test_front(run, here):
    code, out, _ = run("explore", "--trials", 25, "--objectives", "rmse,latency", "--fidelity", "model", "--out", "x", "--json")
    result = json.loads(out)
    assert (code, out.count("\n"), result["stopped"]) == (0, 1, False)
    assert result["columns"] == ["rmse_proxy", "latency_us"] and "proxy" in result["meaning"]["rmse"]
    evaluated = [{"figures": made_up(point)["figures"]} for point in here.asked if made_up(point)["state"] == "ok"]
    assert len(result["front"]) > 2 and not dominated(result["front"], evaluated, result["columns"])
    refused = sum(made_up(row["point"])["state"] == "infeasible" for row in rows_of("x"))
    assert refused > 0 and result["trials"] == {"evaluated": 25, "feasible": 25 - refused, "infeasible": refused, "failed": 0}
    with Path("x/front.csv").open() as file:
        table = list(csv.DictReader(file))
    assert len(table) == 25 and [int(row["number"]) for row in table if row["front"] == "1"] == [
        row["number"] for row in result["front"]]
    assert Path("x/front.png").read_bytes().startswith(b"\x89PNG")
    page = Path("x/front.html").read_text()
    assert "<svg" in page and "too large" in page and not re.search(r"""(src|href)=["']https?:|@import|<script""", page)


def rows_of(out):
    from liteformer.flow.explore.study import Exploration
    return Exploration.open(out).rows()


def test_alarms_without_an_anomaly_to_find(run, here):
    """All faults lie in the test part: every point would have the same F1."""
    lines = ["a,b,fault"] + [f"{n * 37 % 101},{n * 53 % 89},{int(n > 900)}" for n in range(1000)]
    Path("pump.csv").write_text("\n".join(lines) + "\n")
    arguments = ("explore", "--task", "anomaly", "--data", "csv", "--path", "pump.csv", "--label", "fault", "--trials", 2,
                 "--out", "x")
    code, _, err = run(*arguments)
    assert code == 2 and "the validation part of the data holds no anomaly" in err and not Path("x").exists()
    assert run(*arguments, "--objectives", "latency")[0] == 0


def test_a_dominated_point_is_seen():
    """Negative control of ``dominated``, and of the front."""
    rows = [{"number": number, "state": "ok", "figures": {"a": a, "b": b}}
            for number, (a, b) in enumerate([(1, 3), (2, 2), (2, 3), (3, 1)])]
    assert dominated([rows[2]], rows, ("a", "b"))
    assert [row["number"] for row in front.front_of(rows, ("a", "b"))] == [0, 1, 3]
    assert [row["number"] for row in front.front_of(rows, ("b",))] == [3]
    assert not front.front_of([rows[0] | {"state": "infeasible"}], ("a",))


def test_the_search_learns_what_does_not_fit(run, here):
    """The sampler sees the constraint, violated by exactly these points."""
    from liteformer.flow.explore.study import Exploration
    run("explore", "--trials", 10, "--out", "x", "--d-model", "8,64", "--bits", "6-8")
    trials = [trial for trial in Exploration.open("x").study.get_trials() if "result" in trial.user_attrs]
    seen = [(trial.constraints["fits"] > 0, trial.user_attrs["result"]["state"] == "infeasible") for trial in trials]
    assert len(seen) == 10 and {excess for excess, _ in seen} == {True, False} and all(a == b for a, b in seen)


@pytest.mark.slow
def test_all_objectives(run, here, monkeypatch):
    monkeypatch.setattr(objectives, "energy_available", lambda: False)
    code, _, err = run("explore", "--objectives", "energy")
    assert code == 2 and "no energy estimate" in err and not list(Path().iterdir())
    names = "rmse,latency,end-to-end,luts"
    result = json.loads(run("explore", "--objectives", names, "--trials", 8, "--out", "x", "--json")[1])
    assert result["columns"] == ["rmse_proxy", "latency_us", "end_to_end_us", "luts"]
    assert {row["lanes"] for row in here.asked} <= {"auto", "16", "32", "64", "96"}


def test_the_objective_follows_the_task(run, here):
    result = json.loads(run("explore", "--task", "classification", "--trials", 4, "--out", "x", "--json")[1])
    assert result["columns"] == ["error_proxy", "latency_us"] and result["task"] == "classification"
    assert "share of wrong classes" in result["meaning"]["error"] and "rmse" not in result["meaning"]
    text, page = run("explore", "--task", "classification", "--trials", 4, "--out", "x")[1], Path("x/front.html").read_text()
    assert "error_proxy: proxy: share of wrong classes" in " ".join(text.split())
    assert "proxy of the share of wrong classes, validation windows" in page and "RMSE" not in page


def test_one_objective_and_mixed_widths(run, here, monkeypatch):
    monkeypatch.setitem(made_up.__globals__, "made_up", lambda point: made_up_mixed(point))
    result = json.loads(run("explore", "--objectives", "latency", "--mixed", "--trials", 6, "--out", "x", "--json")[1])
    assert len(result["front"]) == 1
    point = result["front"][0]["point"]
    assert {f"bits_{name}" for name in space.CLASSES} < set(point) and "bits" not in point
    assert space.shape_of(point)["bits_of"]["ffn"] == point["bits_ffn"]


def made_up_mixed(point, inner=made_up):
    return inner(point | {"bits": max(value for name, value in point.items() if name.startswith("bits_"))})


# Stop and go on -----------------------------------------------------------------------------------

def test_goes_on(run, here):
    """A second call evaluates only what is missing, and other points than the first."""
    run("explore", "--trials", 8, "--out", "x")
    first = list(here.asked)
    result = json.loads(run("explore", "--trials", 20, "--out", "x", "--json")[1])
    assert result["trials"]["evaluated"] == 20 and len(here.asked) <= 20
    assert [point for point in here.asked[len(first):] if point not in first] == here.asked[len(first):]
    count = len(here.asked)
    assert json.loads(run("explore", "--trials", 20, "--out", "x", "--json")[1])["trials"]["evaluated"] == 20
    assert len(here.asked) == count


def test_ctrl_c(run, here):
    here.stop_after = 6
    code, out, err = run("explore", "--trials", 20, "--out", "x", "--json")
    result = json.loads(out)
    assert code == 130 and result["stopped"] and 0 < result["trials"]["evaluated"] < 20
    assert err.splitlines()[-1].startswith("stopped after") and Path("x/front.csv").is_file()
    here.stop_after = None
    result = json.loads(run("explore", "--trials", 20, "--out", "x", "--json")[1])
    assert (result["stopped"], result["trials"]["evaluated"]) == (False, 20)


def test_a_small_space_ends(run, here):
    """A space of four points is finished after four."""
    result = json.loads(run("explore", *SMALL, "--bits", "3-6", "--trials", 30, "--out", "x", "--json")[1])
    assert len(here.asked) == len({json.dumps(point) for point in here.asked}) == 4 and result["space"] == 4


@pytest.mark.slow
def test_begins_with_the_front_of_another(run, here):
    earlier = json.loads(run("explore", "--trials", 12, "--out", "x", "--json")[1])
    here.asked.clear()
    run("explore", "--trials", 20, "--fidelity", "train", "--from", "x", "--out", "y")
    points = [row["point"] for row in earlier["front"]]
    assert here.asked[:len(points)] == points


# Bad input ----------------------------------------------------------------------------------------

BAD_INPUT = [
    ("--objectives speed", "there is no objective 'speed'; choose one of rmse, error, latency, end_to_end, energy, luts"),
    ("--objectives rmse,rmse", "--objectives 'rmse,rmse' must name each objective once; "
                               "choose one of rmse, error, latency, end_to_end, energy, luts"),
    ("--task classification --objectives rmse,luts", "task classification has no objective rmse; take error, share of wrong "
                                                     "classes"),
    ("--objectives rmse,energy --device lfe5u-25f",
     "energy is estimated for the 7 series only, not for ECP5, for which no power reports of routed designs were collected; "
     "drop objective energy"),
    ("--objectives error", "task forecast has no objective error; take rmse, RMSE"),
    ("--task anomaly --data har --path x", "task anomaly has no data har; choose one of: synthetic, skab, csv"),
    ("--task classification --objectives error,end_to_end", "the cost model knows the CPU's time of a forecast, not of task "
     "classification; choose --fidelity simulate, or drop objective end_to_end"),
    ("--label kind", "task forecast has no label; leave --label out"),
    ("--objectives=", "--objectives '' must name each objective once; "
                      "choose one of rmse, error, latency, end_to_end, energy, luts"),
    ("--task anomaly --sensitivity", "--sensitivity lowers the widths of a forecast, not of task anomaly; search with --mixed"),
    ("--fidelity exact", "there is no fidelity 'exact'; choose one of model, simulate, train"),
    ("--device xc7z010", "no device xc7z010; choose one of " + names.DEVICES),
    ("--trials 0", "trials is 0; choose at least 1"),
    ("--jobs 0", "jobs is 0; choose at least 1"),
    ("--bits 3-x", "--bits 3-x is not a list of numbers; write it as 4,6,8 or 3-8"),
    ("--bits 8-3", "--bits 8-3 names no choice; write it as 4,6,8"),
    ("--lanes many", "--lanes many is not a list of auto and numbers of lanes, such as auto,24,96"),
    ("--readout first", "--readout first names 'first'; choose one of last, mean"),
    ("--fidelity simulate --cpu z80", "no CPU z80; tested are vexriscv and serv, any other little-endian CPU of LiteX with a "
                                      "32-bit Wishbone bus may serve"),
    ("--cpu picorv32", "the cost model knows vexriscv and serv, not picorv32; choose --fidelity simulate"),
    ("--data csv --path none.csv --target x", "there is no file {cwd}/none.csv; check --path"),
    ("--pick knee --out x", "there is no exploration in x; `liteformer explore --out x` makes one"),
    ("--from x", "there is no exploration in x; `liteformer explore --out x` makes one"),
    ("--ray 127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1; start one with `ray start --head`, or leave --ray out"),
    ("--ray host:x", "no Ray cluster answers at host:x; start one with `ray start --head`, or leave --ray out"),
    ("--pick knee --sensitivity", "--pick and --sensitivity exclude each other; name one"),
    ("--sensitivity", "--sensitivity lowers the widths of one shape, but window has the choices 6,12,18,24; "
                      "name one, such as --window 6"),
]


@pytest.mark.parametrize("arguments, sentence", BAD_INPUT, ids=[arguments for arguments, _ in BAD_INPUT])
def test_bad_input(run, arguments, sentence):
    code, out, err = run("explore", *arguments.split())
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == f"error: {sentence.format(cwd=Path().resolve())}" and "Traceback" not in err
    assert not list(Path().iterdir())


@pytest.mark.parametrize("package, arguments, extra", [("optuna", (), "explore"), ("ray", ("--ray", "auto"), "cluster")])
def test_a_missing_package(run, monkeypatch, package, arguments, extra):
    monkeypatch.setitem(sys.modules, package, None)
    code, _, err = run("explore", *arguments)
    assert code == 2 and err.splitlines()[-1].endswith(f"run pip install '.[{extra}]'") and "Traceback" not in err


@pytest.mark.parametrize("change, words", [
    (("--objectives", "rmse,luts"), "objectives is rmse,latency there, rmse,luts here"),
    (("--fidelity", "simulate"), "fidelity is model there, simulate here"),
    (("--d-model", "8"), "d_model is 8,16,32,64 there, 8 here"), (("--horizon", "3"), "horizon is None there, 3 here")])
def test_a_storage_of_another_exploration(run, here, change, words):
    run("explore", "--trials", 2, "--out", "x")
    code, out, err = run("explore", "--trials", 4, "--out", "x", *change)
    assert (code, out) == (2, "") and words in err.splitlines()[-1] and len(rows_of("x")) == 2


def test_a_storage_of_another_program(run, here):
    optuna.create_study(storage="sqlite:///other.db", study_name="liteformer")
    code, _, err = run("explore", "--storage", "sqlite:///other.db", "--out", "x")
    assert code == 2 and "was not made by this command; name another --study" in err and not Path("x").exists()
    assert run("explore", "--storage", "sqlite:///other.db", "--study", "mine", "--trials", 2, "--out", "x")[0] == 0


@pytest.mark.parametrize("url", ["sqlite:///missing/folder/a.db", "nonsense", "mysql://nobody@localhost:1/x"])
def test_a_storage_that_cannot_be_opened(run, here, url):
    code, _, err = run("explore", "--storage", url, "--out", "x")
    assert code == 2 and f"the storage {url} cannot be opened" in err and "Traceback" not in err and not Path("x").exists()


def test_a_damaged_database(run, here):
    run("explore", "--trials", 2, "--out", "x")
    for path in Path("x").glob("study.db*"):
        path.write_bytes(b"no database")
    code, _, err = run("explore", "--trials", 4, "--out", "x")
    assert code == 2 and "x/study.db cannot be opened" in err


def test_two_at_once(run, here):
    from liteformer.flow.explore.study import alone
    with alone("x"):
        code, _, err = run("explore", "--trials", 2, "--out", "x")
    assert code == 2 and "an exploration is running in x" in err


# The whole way ------------------------------------------------------------------------------------

def test_search_and_hand_over(run):
    """With real processes and trainings: the folder handed over is a model that gets the array of the search."""
    search = (*SMALL, "--bits", "4,8", "--lanes", "16", "--cpu", "serv", "--epochs", 1, "--jobs", 1, "--out", "x")
    result = json.loads(run("explore", *search, "--trials", 2, "--json")[1])
    assert result["trials"]["feasible"] == 2
    assert all(3 < row["figures"]["rmse_proxy"] < 15 for row in result["front"])
    code, out, _ = run("explore", "--pick", "rmse", "--from", "x", "--out", "plant", "--json")
    picked = json.loads(out)
    assert code == 0 and picked["trained_now"] and picked["number"] == result["front"][0]["number"]
    model = load_model("plant")
    assert model.config.bits["head.weight"] == picked["point"]["bits"] == result["front"][0]["point"]["bits"]
    cpu, overrides = hardware_of("plant")
    compiled = hardware.compile_model(model, **overrides)
    assert cpu == "serv" and compiled.hw.lanes <= 16 and compiled.cycles == picked["figures"]["cycles"]
    # Negative control: without the folder's wish the array is another one.
    assert hardware.compile_model(model).hw.lanes > 16


@pytest.mark.slow
@pytest.mark.parametrize("device, board", [("xc7a35t", "arty_a7"), ("xc7s50", None)])
def test_the_device_is_handed_over(run, device, board):
    """The folder names it, and the commands that follow work as they are shown."""
    search = (*SMALL[:3], "24", *SMALL[4:], "--bits", "8", "--lanes", "auto", "--epochs", 1, "--jobs", 1, "--out", "x y")
    assert run("explore", *search, "--trials", 1, "--device", device)[0] == 0
    code, out, _ = run("explore", "--pick", "knee", "--from", "x y", "--out", "a plant", "--json")
    picked, written = json.loads(out), json.loads(Path("a plant/hardware.json").read_text())
    assert code == 0 and written == picked["hardware"] == {"model_id": picked["model_id"], "device": device, "cpu": "vexriscv"}
    assert hardware_of("a plant") == ("vexriscv", {"device": device})
    simulate, make = picked["next"]
    code, out, err = run(*shlex.split(simulate)[1:], "--windows", 1, "--json")
    result = json.loads(out)
    assert code == 0 and (result["device"], result["mismatches"], result["cycles"]["accelerator"]) == (
        device, 0, picked["figures"]["cycles"]) and "note:" not in err
    assert (f"--board {board}" in make) if board else make == "liteformer generate 'a plant' -o 'a plant-core'"
    code, out, err = run(*shlex.split(make)[1:], "--json")
    assert code == 0 and json.loads(out)["cycles"] == picked["figures"]["cycles"] and "note:" not in err
    # Negative control: without the folder's device another array is chosen.
    assert hardware.compile_model(load_model("a plant")).cycles != picked["figures"]["cycles"]


@pytest.mark.slow
def test_search_for_a_class_and_hand_over(run):
    search = ("--task", "classification", "--window", "8", *SMALL[2:], "--bits", "4,8", "--epochs", 1, "--jobs", 1)
    result = json.loads(run("explore", *search, "--trials", 2, "--out", "x", "--json")[1])
    assert result["trials"]["feasible"] == 2
    assert all(0 <= row["figures"]["error_proxy"] < 0.9 for row in result["front"])
    code, out, err = run("explore", "--pick", "error", "--from", "x", "--out", "motion", "--json")
    picked, model = json.loads(out), load_model("motion")
    assert code == 0 and picked["task"] == model.config.task == "classification" and "rmse" not in picked
    assert picked["accuracy"]["integer"] > 0.2 and 0 <= picked["validation"]["integer"] < 0.8
    text = run("explore", "--pick", "error", "--from", "x", "--out", "motion")[1]
    assert "share of wrong" in text and "accuracy over the test set" in text and "RMSE" not in text


@pytest.mark.slow
def test_ray():
    """Over a Ray instance of this test's own, a cluster of one node; processes of the command's own are taken away from it."""
    pytest.importorskip("ray", reason="Ray is not installed (extra cluster)")
    result = subprocess.run([sys.executable, "-c", CLUSTER], text=True, capture_output=True, timeout=300,
                            env=os.environ | {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"})
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["trials"] == {"evaluated": 2, "feasible": 2, "infeasible": 0, "failed": 0} and answer["front"]


CLUSTER = """
import subprocess, sys
import ray
ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, object_store_memory=80 << 20)
command = "import liteformer.flow.common.workers as w; w.Processes = None; from liteformer.flow.cli import main; main()"
sys.exit(subprocess.run([sys.executable, "-c", command, "explore", "--ray", ray.get_runtime_context().gcs_address, *(
    "--trials 2 --objectives latency,luts --window 4 --d-model 8 --bits 4,5 --heads 1 --ffn-ratio 1 --lanes 8 --out x --json"
).split()]).returncode)
"""


@pytest.mark.slow
def test_sensitivity(run):
    """Widths fall where it costs least; the target holds after training; a target that cannot be met is reported."""
    arguments = ("explore", "--sensitivity", *SMALL, "--bits", "4,8", "--epochs", 3, "--json")
    result = json.loads(run(*arguments)[1])
    assert set(result["proposal"]) == set(space.CLASSES) and set(result["proposal"].values()) <= {4, 8}
    assert result["rmse_short"] <= result["target"] == pytest.approx(1.05 * result["float"])
    assert result["weights_bram36"] <= result["weights_bram36_before"]
    assert all(step["taken"] == (step["rmse"] <= result["target"]) for step in result["steps"])
    assert sum(step["taken"] for step in result["steps"]) == list(result["proposal"].values()).count(4)
    # One width in the table is every part at its largest: always the same network.
    assert len({errors["8"] for errors in result["table"].values()}) == 1
    code, out, err = run(*arguments, "--target-rmse", 0.1)
    assert (code, out) == (2, "") and "raise --target-rmse" in err
    loose = json.loads(run(*arguments, "--target-rmse", 100, "--bram", result["weights_bram36_before"] * 0.9)[1])
    assert loose["meets_budget"] and 0 < sum(step["taken"] for step in loose["steps"]) < len(space.CLASSES)
