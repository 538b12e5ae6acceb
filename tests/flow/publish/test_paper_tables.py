# SPDX-License-Identifier: BSD-2-Clause
"""The reproduced tables: points, resuming, page and pictures; one point with made-up training and hardware."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.random_model import random_model
from liteformer.flow.common import tools, workers
from liteformer.flow.measure import activity, energy, hardware, published
from liteformer.flow.publish import paper_page, paper_plot, paper_point, paper_tables
from liteformer.flow.publish.paper_point import Point
from liteformer.train.loop import run as training

AREA = {"lut": 7000, "lutram": 600, "ff": 5000, "bram36": 6.5, "dsp": 12, "fits": True, "estimate": {"lut": 6900}}
SHOWN = {"rmse": {"float": 3.5, "qat": 3.6, "integer": 3.61, "persistence": None, "least_squares": 6.7, "mlp": 4.2},
         "interval": {"integer": {"low": 3.0, "high": 4.1}}, "windows": {"train": 100, "validation": 20, "test": 1030},
         "parameters": 12_872, "macs": 1, "unit": "ppb"}


def made_up(task, point):
    """What ``paper_point.measure`` gives."""
    options = training.portable(paper_point.options_of(point, task))
    return {"point": vars(point), "options": options, "code": task["code"], "error": None, **SHOWN,
            "array": {"rows": 12, "columns": 8}, "lanes": 96, "utilization": 0.86,
            "cycles": {"accelerator": 1400, "end_to_end": 1610}, "latency_us": 14.0, "mismatches": 0,
            "area": AREA, "power_mw": {"low": 100.0, "typical": 180.0, "high": 320.0},
            "energy_uj": {"low": 1.4, "typical": 2.52, "high": 4.48},
            "seconds": {part: {"wall": 30.0, "processor": 20.0} for part in paper_point.PARTS}}


@pytest.fixture
def pool(monkeypatch, tmp_path):
    """Works at once; ``asked``: points in their order, ``stop_after``: how many before Ctrl-C, ``special``: other results."""
    state = SimpleNamespace(asked=[], stop_after=None, special={}, stopped=False, reused={})

    def measure(task, point, reuse):
        if len(state.asked) == state.stop_after:
            raise KeyboardInterrupt
        state.asked.append(point)
        state.reused.setdefault(id(reuse), (reuse, []))[1].append(point)
        return made_up(task, point) | state.special.get(point, {})

    class Here:
        def __init__(self, jobs, function):
            assert function is paper_point.measure_group
            self.waiting = []

        def submit(self, number, task, points):
            self.waiting.append((number, task, points))

        def finished(self, timeout):
            number, task, points = self.waiting.pop(0)
            paper_point.measure_group(task, points)
            return [(number, None)]

        def stop(self):
            state.stopped = True

        def close(self):
            assert not self.waiting

    monkeypatch.setattr(workers, "Processes", Here)
    monkeypatch.setattr(paper_point, "measure", measure)
    monkeypatch.setattr(paper_tables, "check", lambda task, points: None)
    monkeypatch.setattr(paper_plot, "draw", lambda content, folder, name: None)
    return state


@pytest.fixture
def make(monkeypatch, capfd, tmp_path):
    """Callable(*arguments) -> (exit code, stderr) of `make paper`, its files in ``tmp_path``."""
    def call(*arguments):
        places = ["--out", str(tmp_path / "build"), "--pages", str(tmp_path / "pages")]
        monkeypatch.setattr("sys.argv", ["paper_tables", *arguments, *places])
        with pytest.raises(SystemExit) as end:
            paper_tables.main()
        return end.value.code or 0, capfd.readouterr().err
    return call


def test_points():
    assert len(set(paper_tables.GRID)) == 96 and set(paper_tables.QUICK) < set(paper_tables.GRID)
    assert {(one.window, one.d_model, one.bits) for one in paper_tables.QUICK if one.data == "airu"} == {
        (one.window, one.d_model, one.bits) for one in published.PUBLISHED}
    assert {one.data for one in paper_tables.QUICK} == {"airu", "pems"}


def test_time_within_its_limits():
    """Two hours on two cores; shared networks are a good part of it, and one core takes twice as long."""
    whole = paper_tables.expected_minutes(paper_tables.GRID, "complete")
    assert whole < 120 and paper_tables.expected_minutes(paper_tables.QUICK, "quick") < 6
    assert paper_tables.expected_minutes(paper_tables.GRID, "complete", 1) == 2 * whole
    alone = sum(paper_tables.expected_minutes([point], "complete") for point in paper_tables.GRID)
    assert alone > 1.25 * whole
    first, second = (Point("airu", 12, 32, bits) for bits in (4, 6))
    both = paper_tables.expected_minutes([first, second], "complete")
    assert both == pytest.approx(paper_tables.expected_minutes([first], "complete")
                                 + paper_tables.expected_minutes([second], "complete", trained=[first]))


def test_quick_page(make, pool, tmp_path):
    code, err = make("--quick")
    assert code == 0 and "paper-quick.md and its pictures written from 4 points" in err
    assert set(pool.asked) == set(paper_tables.QUICK)
    text = (tmp_path / "pages" / "paper-quick.md").read_text()
    assert "**Training is shortened here:** 20 epochs" in text and "training shortened**" in text
    assert str(tmp_path) not in text + (tmp_path / "pages" / "paper-quick.json").read_text()


def test_complete_grid(make, pool, tmp_path):
    assert make()[0] == 0 and set(pool.asked) == set(paper_tables.GRID)
    text = (tmp_path / "pages" / "paper.md").read_text()
    assert "horten" not in text and text.count("| 24, 64, 8 | 12,872 |") == 2
    # The longest first, and what differs in bits alone shares its float networks.
    groups = [points for _, points in pool.reused.values()]
    times = [paper_tables.expected_minutes(group, "complete") for group in groups]
    half = len(times) // 2
    assert all(part == sorted(part, reverse=True) and part[0] > 2 * part[-1] for part in (times[:half], times[half:]))
    assert {group[0].data for group in groups[:half]} == {"airu"}
    assert len(groups) == 32 and all({point.bits for point in group} == {4, 6, 8} for group in groups)
    assert all(len({(point.data, point.window, point.d_model) for point in group}) == 1 for group in groups)


def test_interrupted_goes_on(make, pool, tmp_path):
    pool.stop_after = 2
    code, err = make("--quick", "--jobs", "1")
    assert code == 130 and pool.stopped and "stopped with 2 of 4 points done; the same command resumes" in err
    assert not (tmp_path / "pages").exists()
    first, pool.asked, pool.stop_after = pool.asked, [], None
    assert make("--quick")[0] == 0
    assert len(pool.asked) == 2 and set(first + pool.asked) == set(paper_tables.QUICK)
    pool.asked = []
    assert make("--quick")[0] == 0 and not pool.asked


def test_page_of_what_is_done(make, pool, tmp_path):
    page = tmp_path / "pages" / "paper-quick.md"
    code, err = make("--quick", "--page")
    assert code == 2 and "no point is done in" in err and not page.exists()
    pool.stop_after = 3
    make("--quick", "--jobs", "1")
    pool.asked = []
    code, err = make("--quick", "--page")
    assert code == 0 and "written from 3 points" in err and not pool.asked
    assert "**So far 3 of 4 points are measured.**" in " ".join(page.read_text().split())
    pool.stop_after = None
    assert make("--quick")[0] == 0 and "So far" not in page.read_text()


def test_damaged_or_other_results_are_measured_again(make, pool, monkeypatch, tmp_path):
    """Negative control of resuming."""
    make("--quick")
    damaged, other = (tmp_path / "build" / "quick" / f"{point.name}.json" for point in paper_tables.QUICK[:2])
    damaged.write_text(damaged.read_text()[:100])
    other.write_text(other.read_text().replace('"epochs": 20', '"epochs": 21'))
    pool.asked = []
    make("--quick")
    assert set(pool.asked) == set(paper_tables.QUICK[:2])
    # Other sources give other hardware.
    pool.asked = []
    monkeypatch.setattr(paper_tables, "code", lambda: "other")
    make("--quick")
    assert set(pool.asked) == set(paper_tables.QUICK)


@pytest.fixture
def content(tmp_path):
    """Content of a quick page."""
    task = {"recipe": "quick", "code": "c", "out": "/x", "paths": {"airu": "/data/a.csv", "pems": "/data/p.csv"}}
    results = {point: made_up(task, point) | {"session": 1, "jobs": 2, "elapsed": 60.0 + n}
               for n, point in enumerate(paper_tables.QUICK)}
    return json.loads(json.dumps(paper_tables.record(task, results, paper_tables.QUICK)))


def test_pictures_of_a_part_of_the_grid(tmp_path):
    """Those of points without the width that the paper published."""
    task = {"recipe": "complete", "code": "c", "out": "/x", "paths": {"airu": "/data/a.csv", "pems": "/data/p.csv"}}
    points = [Point("airu", 24, 64, 8), Point("airu", 6, 64, 4)]
    results = {point: made_up(task, point) | {"session": 1, "jobs": 2, "elapsed": 60.0} for point in points}
    content = json.loads(json.dumps(paper_tables.record(task, results, paper_tables.GRID)))
    assert (len(content["points"]), content["all"]) == (2, 96)
    paper_plot.draw(content, tmp_path, "paper")
    assert len(list(tmp_path.iterdir())) == 3
    assert "`make paper` measures the others" in " ".join(paper_page.page(content, "paper").split())


def test_pictures(content, tmp_path):
    """Those that the page names, without the points that could not be built."""
    content["points"][0] = {name: content["points"][0][name] for name in ("point", "options")} | {"error": "nothing fits"}
    paper_plot.draw(content, tmp_path, "quick")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["quick-energy.png", "quick-hardware.png", "quick-rmse.png"]
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in names)
    text = paper_page.page(content, "quick")
    assert all(f"]({name})" in text for name in names)


@pytest.mark.parametrize("processor", [None, "Some Processor (R) of many words " * 4, "X" * 90])
def test_page_says_what_was_measured(content, processor):
    """Whatever the machine's processor is called."""
    if processor:
        content = content | {"machine": content["machine"] | {"processor": processor}}
    text = paper_page.page(content, "paper-quick")
    lines = text.splitlines()
    assert "| 12, 32, 4 | 5.47 ppb | 3.61 ppb | 1.33 ms | 14.00 µs | 95 | 84 µJ | 2.5 µJ (1.4 to 4.5) | 19 to 60 |" in lines
    assert "| 12, 32, 4 | 12,872 | 3.50 | 3.60 | 3.61 | 3.00 to 4.10 | 1.031 | 5.47 | 6.70 | 4.20 |" in lines
    # The paper has no figures for the stand-in.
    assert "| 12, 32, 4 | 12,872 | 3.50 | 3.60 | 3.61 | 3.00 to 4.10 | 1.031 | 6.70 | 4.20 |" in lines
    assert "| 12, 32, 4 | 1,400 | 14.00 | 16.10 | 86 % | 0 | 180 | 2.52 | 1.4 to 4.48 | 1,330 | 84 |" in lines
    assert lines.count("| 12, 32, 4 | 12 x 8 | 7,000 | 600 | 5,000 | 6.5 | 12 | yes |") == 2
    assert "4 points in 1.1 min, 2 at a time" in text and "4.0 min of processor time" in text
    assert "One: 1." in text and "120 and 1,030 of 12 rows" in text and "[a.csv" not in text
    assert max(map(len, (line for line in lines if not line.startswith(("|", "**No"))))) <= 128


def test_faults_are_seen(content):
    """Negative control: what does not fit, differs or could not be built is on the page."""
    first, second, *_ = content["points"]
    first["mismatches"], first["area"]["fits"] = 3, False
    point = second["point"]
    content["points"][1] = {"point": point, "options": second["options"], "error": "nothing fits", "session": 1, "jobs": 2,
                            "elapsed": 1.0}
    text = paper_page.page(content, "paper-quick")
    assert "| 86 % | 3 | 180 |" in text and text.count("**no**") == 1
    shape = f"{point['window']}, {point['d_model']}, {point['bits']}"
    assert f"No figures for ({shape}): nothing fits." in text and f"| {shape} |" not in text


def test_missing_tool_or_data(make, monkeypatch, tmp_path):
    code, err = make("--quick", "--pems", "nowhere.csv")
    if "there is no file" in err and "airU.csv" in err:
        pytest.skip("AirU is not on this machine")
    assert code == 2 and err.endswith("nowhere.csv; name the CSV with make paper PEMS=FILE\n")
    checks = [replace(tool, version=None) if tool.name == "verilator" else tool for tool in tools.inspect()]
    monkeypatch.setattr(tools, "inspect", lambda: checks)
    code, err = make("--quick")
    assert code == 2 and "error: verilator is missing (simulation): apt-get install verilator" in err
    assert make("--jobs", "0") == (2, "error: jobs is 0; choose at least 1\n")


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """A point's task, with a random model for a training and made-up hardware; ``calls`` counts the trainings."""
    bench = SimpleNamespace(calls=0, reused=[], error=None, task={"recipe": "quick", "code": "c", "out": str(tmp_path),
                                                       "paths": {"airu": "a.csv", "pems": "p.csv"}})

    def train(options, reuse=None):
        bench.reused.append(reuse)
        if bench.error:
            raise bench.error
        bench.calls += 1
        metrics = SHOWN | {"options": training.portable(options), "seconds": {"total": 12.5}}
        folder = tmp_path / "airu-6-8-4bit"
        folder.mkdir(exist_ok=True)
        (folder / "metrics.json").write_text(json.dumps(metrics))
        model = random_model(np.random.default_rng(1), window=6, features=2, d_model=8, bits=4)
        return SimpleNamespace(model=model, metrics=metrics, options=options, test_raw=np.zeros((40, 6, 2), np.int64))

    def load(folder):
        calls = bench.calls
        run = train(paper_point.options_of(Point("airu", 6, 8, 4), bench.task))
        bench.calls = calls
        return run

    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(training, "load_run", load)
    monkeypatch.setattr(hardware, "run_soc", lambda model, compiled, raw, **_: ({
        "cycles": {"accelerator": 500, "end_to_end": 700}, "mismatches": 0 if len(raw) == paper_point.WINDOWS else 1}, None))
    monkeypatch.setattr(activity, "measure_activity", lambda compiled, raw: SimpleNamespace(busy={"array": 0.2}))
    monkeypatch.setattr(hardware, "soc_synthesis", lambda compiled, device: {"area": AREA, "blocks": {"array": AREA}})
    return bench


def test_a_point(bench):
    point = Point("airu", 6, 8, 4)
    result = paper_point.measure(bench.task, point)
    assert json.loads(json.dumps(result)) == result and result["error"] is None
    assert (result["latency_us"], result["mismatches"], result["rmse"]) == (5.0, 0, SHOWN["rmse"])
    power = energy.estimate_power({"array": AREA}, {"array": 0.2}, "xc7s15", 100).total
    assert result["power_mw"]["typical"] == pytest.approx(power.typical, rel=1e-3)
    assert result["energy_uj"]["typical"] == pytest.approx(power.typical * 5 / 1000, rel=1e-3)
    assert result["options"]["refit"] and (result["options"]["readout"], result["options"]["distill"]) == ("mean", 0.0)
    # Its training is taken over, with its time; one with other options is not.
    again = paper_point.measure(bench.task, point)
    assert bench.calls == 1 and again["seconds"]["train"] == {"wall": 12.5, "processor": 12.5}
    bench.task["recipe"] = "complete"
    paper_point.measure(bench.task, point)
    assert bench.calls == 2


def test_a_group_hands_its_networks_on(bench, monkeypatch):
    bench.task |= {"session": 0, "jobs": 1}
    paper_point.measure_group(bench.task, [Point("pems", 6, 8, bits) for bits in (4, 6)])
    assert len(bench.reused) == 2 and bench.reused[0] is bench.reused[1] is not None
    stored = json.loads(paper_point.result_file(bench.task, Point("pems", 6, 8, 6)).read_text())
    assert stored["jobs"] == 1 and stored["elapsed"] > 0


def test_a_point_that_cannot_be_built(bench, monkeypatch):
    """It is a result; a missing tool is not, it ends the run."""
    bench.error = LiteFormerError("the loss became NaN")
    assert paper_point.measure(bench.task, Point("pems", 6, 8, 4))["error"] == "the loss became NaN"
    bench.error = None

    def missing(*_, **__):
        raise LiteFormerError("Verilator is missing")
    monkeypatch.setattr(hardware, "run_soc", missing)
    with pytest.raises(LiteFormerError, match="Verilator is missing"):
        paper_point.measure(bench.task, Point("airu", 6, 8, 4))


@pytest.mark.parametrize("name", paper_tables.NAMES.values())
def test_page_in_the_repository_is_that_of_its_figures(name):
    stored = paper_tables.PAGES / f"{name}.json"
    if not stored.is_file():
        pytest.skip("not measured yet")
    assert (paper_tables.PAGES / f"{name}.md").read_text() == paper_page.page(json.loads(stored.read_text()), name)
