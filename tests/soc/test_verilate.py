# SPDX-License-Identifier: BSD-2-Clause
"""Building simulators: what is compiled again, what is not, and where."""

import ctypes
import shutil

import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.soc import verilate
from liteformer.soc.cache import default_cache
from liteformer.soc.generate import Design
from liteformer.soc.sealed import sealed
from liteformer.soc.verilate import LEVELS, build_simulator, level_for

VERILOG = """
module counter(input sys_clk, output reg [7:0] count = 0);
always @(posedge sys_clk) count <= count + {step};
endmodule
"""
# Clocks the model ``cycles`` times; the count then.
LOOP = """
extern "C" int counted(SOC_MODEL *model, int cycles)
{
	for (int n = 0; n < 2 * cycles; n++) {
		model->sys_clk = n & 1;
		model->eval();
	}
	return model->count;
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a blank and an umlaut in its name; Verilator's library is there if an earlier build has made it."""
    path = tmp_path_factory.mktemp("verilate") / "a b \u00fc"
    for library in default_cache().glob("verilated-*"):
        shutil.copytree(library, path / "cache" / library.name)
    return path


@pytest.fixture
def counter(folder, tmp_path):
    """Callable(step, level) -> path of the simulator of a counter."""
    work, cache = folder / tmp_path.name, folder / "cache"
    work.mkdir(parents=True)
    loop = work / "loop.cpp"
    loop.write_text(LOOP)

    def build(step=3, level=0):
        top = work / "counter.v"
        top.write_text(VERILOG.format(step=step))
        design = Design(name="counter", top=top, sources=[top], include_dirs=[], images=[])
        return build_simulator(design, cache_dir=cache, loop=loop, level=level)
    return build


def count(path, cycles):
    """What the counter says after some cycles."""
    library = ctypes.CDLL(str(path))
    library.construct.restype = ctypes.c_void_p
    library.counted.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return library.counted(library.construct(), cycles)


def test_it_runs_and_is_built_once(counter, monkeypatch):
    """One design, one simulator; another design is another one."""
    built, compiled = [], verilate._compile
    monkeypatch.setattr(verilate, "_compile", lambda *arguments: built.append(1) or compiled(*arguments))
    first = counter()
    assert count(first, 7) == 7 * 3 and counter() == first and built == [1]
    other = counter(step=5)
    assert other != first and count(other, 7) == 7 * 5 and built == [1, 1]


def test_a_better_build_serves_too(counter, monkeypatch):
    best = counter(step=4, level=LEVELS[-1])
    monkeypatch.setattr(verilate, "_compile", lambda *_: pytest.fail("built again"))
    assert [counter(step=4, level=level) for level in LEVELS] == [best] * len(LEVELS)


def test_the_library_is_compiled_once(counter):
    cache = counter().parent
    library, *more = cache.glob("verilated-*")
    before = {path.name: path.stat().st_mtime_ns for path in library.iterdir()}
    assert "verilated.o" in before
    counter(step=6)
    assert sorted([library, *more]) == sorted(cache.glob("verilated-*"))
    assert {path.name: path.stat().st_mtime_ns for path in library.iterdir()} == before


def replace(path, content):
    """Give a file other content; one that is loaded must not change beneath the process."""
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [pytest.param(lambda data: b"", marks=pytest.mark.slow), lambda data: data[:len(data) // 2],
                                    pytest.param(lambda data: b"#" + data[1:], marks=pytest.mark.slow),
                                    lambda data: data[:4000] + bytes([data[4000] ^ 1]) + data[4001:]],
                         ids=["empty", "cut off", "no ELF", "one bit"])
def test_a_damaged_simulator_is_built_again(counter, capsys, damage):
    path = counter(step=7)
    replace(path, damage(path.read_bytes()))
    assert counter(step=7) == path and count(path, 5) == 5 * 7
    assert capsys.readouterr().err == (f"note: the simulator {path} is damaged (the checksum does not match) and is built "
                                       "again\n")
    assert counter(step=7) == path and capsys.readouterr().err == ""


def test_a_simulator_that_cannot_be_loaded_is_refused(counter, monkeypatch, capsys):
    """A whole file that the machine does not take: built again once, then one sentence, and nothing is kept."""
    path = counter(step=8)
    replace(path, sealed(b"of another machine"))
    compiled = verilate._compile

    def strange(*arguments):
        built = compiled(*arguments)
        built.write_bytes(b"no shared object")
        return built
    monkeypatch.setattr(verilate, "_compile", strange)
    with pytest.raises(LiteFormerError, match=r"^the simulator was built but cannot be loaded \(.*\); check the disk of .*, or "
                                              "set the environment variable LITEFORMER_CACHE to another folder$"):
        counter(step=8)
    assert capsys.readouterr().err.count("is damaged") == 1 and not path.exists()
    assert not [other for other in path.parent.iterdir() if other.name.startswith("tmp")]


@pytest.mark.slow
def test_a_damaged_library_is_compiled_again(counter, capsys):
    before = set(counter(step=9).parent.glob("verilated-*"))
    for library in before:
        path = library / "verilated.o"
        replace(path, path.read_bytes()[:-100])
    path = counter(step=10)
    assert count(path, 3) == 30
    note, = capsys.readouterr().err.splitlines()
    assert note.startswith("note: Verilator's objects in ") and note.endswith(
        " are damaged (the checksum does not match) and are compiled again")
    assert set(path.parent.glob("verilated-*")) == before
    counter(step=11)
    assert capsys.readouterr().err == ""


def test_level_grows_with_the_work():
    assert [level_for(cycles) for cycles in (0, 1_000_000, 1_000_001, 8_000_000, 8_000_001)] == [0, 0, 1, 1, 3]


def test_only_included_files_come_along(tmp_path):
    """At any depth; a module in the same folder stays out, a file that is not there too."""
    folder = tmp_path / "include"
    folder.mkdir()
    (folder / "a.svh").write_text('`include "b.sv"\n')
    for name in ("b.sv", "module.sv"):
        (folder / name).write_text("// nothing\n")
    top = tmp_path / "top.v"
    top.write_text('  `include "a.svh"\n`include "none.vh"\n')
    design = Design("top", top, [top], [tmp_path / "other", folder], [])
    assert [path.name for path in verilate._headers(design)] == ["a.svh", "b.sv"]


def test_objects_are_kept_once_and_damaged_ones_removed(tmp_path, capsys):
    library, first, second = tmp_path / "library", tmp_path / "first", tmp_path / "second"
    for folder, content in ((first, b"one"), (second, b"two")):
        folder.mkdir()
        (folder / "verilated.o").write_bytes(content)
        verilate._keep(folder.glob("*.o"), library)
    verilate._take(library, second)
    assert (second / "verilated.o").read_bytes() == b"one"
    damaged = library / "verilated.o"
    replace(damaged, damaged.read_bytes()[:-1])
    (second / "verilated.o").unlink()
    verilate._take(library, second)
    assert not library.exists() and not list(second.iterdir())
    assert capsys.readouterr().err.startswith(f"note: Verilator's objects in {library} are damaged (")


def test_a_compiler_that_fails_is_one_sentence(tmp_path):
    """Its first line with an error, of either output; without one its first line."""
    for script, words in (("echo made; echo 'x.cpp:3: error: no ;' >&2; exit 1", "x.cpp:3: error: no ;"),
                          ("echo gone; exit 2", "gone")):
        with pytest.raises(LiteFormerError, match=f"^the simulator cannot be built: {words}$"):
            verilate._run(["sh", "-c", script], cwd=tmp_path)
    assert verilate._run(["sh", "-c", "echo made"], cwd=tmp_path) == "made\n"
