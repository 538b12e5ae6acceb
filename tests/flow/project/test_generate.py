# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer generate`: the stand-alone core passes its own bench, and the bench sees a single flipped bit."""

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel.random_model import random_model
from liteformer.flow.measure import hardware
from liteformer.flow.project.core import run_generate

from ... import names


@pytest.fixture(scope="module")
def model():
    return random_model(np.random.default_rng(1), window=4, features=3, d_model=8, bits=4, outputs=2)


@pytest.fixture(scope="module")
def core(model, tmp_path_factory):
    """Folder of a generated core whose bench has been compiled."""
    folder = tmp_path_factory.mktemp("core")
    model.save(folder / "model.safetensors")
    run_generate(folder / "model.safetensors", folder / "core", windows=8)
    subprocess.run(["make", "-C", folder / "core", "obj_dir/Vliteformer_core_tb"], check=True, capture_output=True)
    return folder / "core"


@pytest.fixture
def copy(core, tmp_path):
    """A copy of the core that a test may damage."""
    return Path(shutil.copytree(core, tmp_path / "copy"))


def bench(folder):
    """Exit code and output of `make test`."""
    result = subprocess.run(["make", "-C", folder, "test"], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def test_the_bench_passes(core, model):
    status, text = bench(core)
    cycles = hardware.compile_model(model).cycles
    found = re.search(r"PASS: 8 windows, 16 outputs, (\d+) clock cycles", text)
    assert status == 0 and abs(int(found.group(1)) - cycles) <= 2, text


@pytest.mark.slow
def test_pumped_lanes_have_a_clock_of_their_own(model, tmp_path):
    """The bench drives both clocks; negative control: with the second one out of phase it fails."""
    model.save(tmp_path / "model.safetensors")
    run_generate(tmp_path / "model.safetensors", tmp_path / "core", windows=4, overrides={"pump": True})
    core = tmp_path / "core"
    assert "| `clk2x` | 1 |" in (core / "README.md").read_text() and "input  wire          clk2x" in (
        core / "liteformer_core.v").read_text()
    status, text = bench(core)
    assert status == 0 and "PASS: 4 windows, 8 outputs" in text, text
    source = core / "liteformer_core_tb.v"
    source.write_text(source.read_text().replace("clk2x(clk2x)", "clk2x(clk)"))
    assert bench(core)[0] != 0


def test_a_flipped_weight_bit_is_seen(copy, model):
    """Negative control: any one of four bits of the value weights, changed in the memory image only."""
    words = hardware.compile_model(model).images["streams"][0]
    image = next(path for path in copy.glob("*.init") if [int(line, 16) for line in path.read_text().split()] == list(words))
    intact = image.read_text().split()
    for bit in (2, 6, 10, 14):
        lines = list(intact)
        middle = len(lines) // 2
        lines[middle] = f"{int(lines[middle], 16) ^ 1 << bit:x}"
        image.write_text("\n".join(lines) + "\n")
        status, text = bench(copy)
        if status:
            assert "outputs differ" in text
            return
    pytest.fail("no flipped bit changed an output")


def test_every_wrong_expectation_is_seen(copy):
    lines = (copy / "expected.hex").read_text().split()
    lines[-1] = f"{int(lines[-1], 16) ^ 1:08x}"
    (copy / "expected.hex").write_text("\n".join(lines) + "\n")
    status, text = bench(copy)
    assert status != 0 and "window 7 output 1" in text and "1 of 16 outputs differ" in text


def test_another_models_image_is_seen(copy):
    """The bench checks which model it has in front of it."""
    header = (copy / "liteformer_core_tb.vh").read_text()
    assert re.search(r"MODEL_ID 32'h\w{8}", header)
    (copy / "liteformer_core_tb.vh").write_text(re.sub(r"MODEL_ID 32'h\w{8}", "MODEL_ID 32'h00000001", header))
    status, text = bench(copy)
    assert status != 0 and "model id" in text


def test_register_maps_agree(core):
    """JSON, SVD, C header, Markdown and bench name the same addresses."""
    registers = {name.removeprefix("liteformer_"): entry["addr"]
                 for name, entry in json.loads((core / "csr.json").read_text())["csr_registers"].items()}
    assert list(registers)[:6] == ["identifier", "version", "model_id", "build", "shape", "control"]
    assert registers["identifier"] == 0x1000 and registers["control"] == 0x1014
    svd = xml.etree.ElementTree.parse(core / "liteformer_core.svd").find(".//peripheral")
    base = int(svd.find("baseAddress").text, 16)
    assert {entry.find("name").text.lower(): base + int(entry.find("addressOffset").text, 16)
            for entry in svd.iter("register")} == registers
    header = (core / "software" / "generated" / "csr.h").read_text()
    offsets = dict(re.findall(r"#define CSR_LITEFORMER_(\w+)_ADDR \(CSR_BASE \+ 0x(\w+)L\)", header))
    assert {name.lower(): 0x1000 + int(value, 16) for name, value in offsets.items()} == registers
    table = dict(re.findall(r"\| 0x(\w{4}) \| `(\w+)` \|", (core / "registers.md").read_text()))
    assert {name: int(address, 16) for address, name in table.items()} == registers
    words = dict(re.findall(r"`define ADR_(\w+) 11'h(\w+)", (core / "liteformer_core_tb.vh").read_text()))
    assert {name.lower(): 4 * int(word, 16) for name, word in words.items()} == registers


def test_ports_and_images(core):
    verilog = (core / "liteformer_core.v").read_text()
    ports = re.search(r"module liteformer_core \((.*?)\);", verilog, re.DOTALL).group(1)
    names = set(re.findall(r"(\w+),?\s*$", ports, re.MULTILINE))
    assert names == {"clk", "rst", "irq", *(f"wb_{name}" for name in (
        "adr", "dat_w", "dat_r", "sel", "cyc", "stb", "ack", "we", "cti", "bte", "err"))}
    assert re.search(r"\[10:0\]\s+wb_adr", ports)
    images = re.findall(r'\$readmemh\("(.*?)"', verilog)
    assert images and all((core / image).is_file() for image in images)


def test_the_driver_compiles(core, tmp_path):
    """The C driver in the folder needs nothing of LiteX; both base addresses can be set."""
    (tmp_path / "user.c").write_text(
        '#include "liteformer.h"\nint32_t forecast(const int32_t *row);\nint32_t forecast(const int32_t *row)\n'
        "{ liteformer_push(row); return liteformer_infer() == LITEFORMER_OK ? liteformer_result(0) : 0; }\n")
    software = core / "software"
    for source in (tmp_path / "user.c", *software.glob("*.c")):
        compiled = subprocess.run(["gcc", "-Wall", "-Werror", "-c", "-ffreestanding", f"-I{software}", "-DCSR_BASE=0x30001000L",
                                   "-DLITEFORMER_BASE=0x30000000L", source, "-o", tmp_path / f"{source.stem}.o"],
                                  capture_output=True, text=True)
        assert compiled.returncode == 0 and not compiled.stderr, compiled.stderr


def test_the_command(run, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model.save("model.safetensors")
    code, out, _ = run("generate", "model.safetensors", "-o", "core", "--windows", 2, "--json")
    result = json.loads(out)
    assert (code, result["windows"], result["model_id"]) == (0, 2, model.id)
    assert result["files"] == sorted(str(path.relative_to("core")) for path in Path("core").rglob("*") if path.is_file())
    assert run("generate", "model.safetensors", "-o", "core")[0] == 0
    for arguments, sentence in (
            (("none", "-o", "x"), "no model at none; `liteformer train --out none` makes one"),
            (("model.safetensors", "-o", "x", "--windows", 0), "windows is 0; choose at least 1"),
            (("model.safetensors", "-o", "x", "--rows", 3),
             "--rows 3 does not divide the 4 tokens of a window; possible: 1, 2, 4"),
            (("model.safetensors", "-o", "x", "--device", "z"), "no device z; choose one of " + names.DEVICES)):
        code, out, err = run("generate", *arguments)
        assert (code, out, err.splitlines()[-1]) == (2, "", f"error: {sentence}")
    assert sorted(path.name for path in Path().iterdir()) == ["core", "model.safetensors"]
