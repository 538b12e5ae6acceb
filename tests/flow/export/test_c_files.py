# SPDX-License-Identifier: BSD-2-Clause
"""The exported C equals the golden model on the host and on RISC-V without and with multiplier; a changed table does not."""

import re
import subprocess

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.flow.export.c_files import c_header, c_source, memory_bytes, write_c

from ...refusal import refusal
from .shapes import SHAPES, model_of, series_of, windows_of

SANITIZED = "CFLAGS=-O1 -fsanitize=address,undefined -fno-sanitize-recover"


def make(folder, *arguments):
    """Exit code and output of make."""
    result = subprocess.run(["make", "-C", folder, *arguments], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("name", SHAPES)
def test_a_thousand_windows_are_equal(name, tmp_path):
    """On the host, with sanitizers, which also see a sum that overflows."""
    model = model_of(name)
    raw = np.concatenate([windows_of(model, 500), series_of(model, 500)])
    write_c(model, tmp_path, raw)
    status, text = make(tmp_path, SANITIZED, "test")
    assert status == 0 and "PASS: 1000 windows equal the golden model" in text, text
    assert len(np.unique(golden.infer(model, raw))) > 5


@pytest.mark.parametrize("name, table", [("readme", "embed_weight"), ("mean", "head_offset"), ("mean", "softmax_table"),
                                         ("classes", "layer0_value_weight"), ("readme", "position")])
def test_a_changed_number_is_seen(name, table, tmp_path):
    """Negative control: one number of a table."""
    model = model_of(name)
    write_c(model, tmp_path, windows_of(model, 200))
    source = tmp_path / "liteformer_model.c"
    text = source.read_text()
    found = re.search(rf" {table}\[.*?\] = {{[{{\s]*(-?\d+)", text)
    source.write_text(f"{text[:found.start(1)]}{int(found[1]) // 2 - 1}{text[found.end(1):]}")
    status, output = make(tmp_path, "test")
    assert status != 0 and re.search(r"FAIL: \d+ numbers differ from the golden model", output)


@pytest.mark.parametrize("wrong", ["decisions", "expected"])
def test_a_wrong_expectation_is_seen(wrong, tmp_path):
    """Negative control of the test program, for outputs and alarms."""
    model = model_of("alarms")
    write_c(model, tmp_path, series_of(model, 20))
    vectors = tmp_path / "test_vectors.h"
    before, mark, after = vectors.read_text().partition(f" {wrong}[WINDOWS]")
    rows = re.sub(r"(\d)}\n", lambda last: f"{(int(last[1]) + 1) % 10}}}\n", after, count=1)
    vectors.write_text(before + mark + rows)
    status, output = make(tmp_path, "test")
    assert status != 0 and "FAIL: 1 numbers differ" in output


def test_it_compiles_for_a_microcontroller(tmp_path):
    """RV32I and RV32IM; no symbol of a library but the compiler's own arithmetic, no memory but the stated one."""
    model = model_of("layers")
    write_c(model, tmp_path, windows_of(model, 20), "pump")
    status, text = make(tmp_path, "size")
    assert status == 0, text
    for architecture in ("rv32i", "rv32im"):
        table = subprocess.run(["riscv64-unknown-elf-nm", tmp_path / f"pump_{architecture}.o"], capture_output=True, text=True,
                               check=True).stdout
        missing = {line.split()[1] for line in table.splitlines() if line.split()[0] == "U"}
        assert missing <= {"__muldi3", "__mulsi3", "__divsi3", "memset", "memcpy"}, missing
        assert not {kind for *_, kind, _ in (line.rsplit(" ", 2) for line in table.splitlines())} & {"D", "d"}
        sizes = next(line for line in text.splitlines() if re.match(rf"[\s\d]+.*pump_{architecture}.o$", line)).split()
        assert sizes[1] == "0" and 0 <= int(sizes[2]) - memory_bytes(model.config) < 64


def test_the_text_is_what_it_promises():
    """C99 with stdint.h alone; the header names what samples and outputs mean."""
    model = model_of("alarms")
    source, header = c_source(model, "pump"), c_header(model, "pump")
    assert re.findall(r"#include (\S+)", source + header) == ['"pump.h"', "<stdint.h>"]
    assert not re.search(r"\b(float|double|malloc|alloca)\b", source)
    assert max(map(len, source.splitlines())) <= 128
    assert " *   1 feature 1: round(value * 4)" in header and " *   1 output 1: output / 2" in header


def test_a_sum_that_needs_more_bits_gets_them():
    """Negative control of the choice: the widest patches take 64 bits, the usual ones 32."""
    from liteformer.accel.random_model import random_model
    wide = random_model(np.random.default_rng(1), window=2047, patch=2047, stride=2047, features=256, d_model=2, bits=8)
    assert "typedef int64_t sum_type;" in c_source(wide, "pump")
    assert "typedef int32_t sum_type;" in c_source(model_of("readme"), "pump")


@pytest.mark.parametrize("name", ["a b", "1st", "tür", "decision", ""])
def test_names_that_are_none(name, tmp_path):
    sentence = f"--name {name} is no name for a C file and its functions; choose letters, digits and _, such as pump"
    assert refusal(write_c, model_of("mean"), tmp_path, None, name) == sentence
