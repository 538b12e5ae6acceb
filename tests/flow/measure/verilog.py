# SPDX-License-Identifier: BSD-2-Clause
"""Small Verilog modules ``bench`` with the ports ``clk``, ``stimulus`` and ``response``, clocked with given bits."""

import contextlib
import ctypes
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from pyverilator import PyVerilator

from liteformer.soc.generate import Design
from liteformer.soc.verilate import build_simulator

LOOP = Path(__file__).with_name("bits_loop.cpp")


def written(folder, verilog):
    """A Design of one file with the module ``bench``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.v").write_text(verilog)
    return Design(name="bench", top=folder / "bench.v", sources=[folder / "bench.v"], include_dirs=[], images=[])


def responses(design, stimulus, words):
    """Run a module for one clock cycle on each row of words.

    Args:
        design: Design of a module ``bench``. stimulus: uint32 ``(cycles, its words)``. words: 32-bit words of the response.
    Returns:
        uint32 ``(cycles, words)``: the response in front of each clock edge.
    """
    stimulus = np.ascontiguousarray(stimulus, np.uint32)
    response = np.zeros((len(stimulus), words), np.uint32)
    with contextlib.chdir(design.top.parent):
        model = PyVerilator(str(build_simulator(design, loop=LOOP, level=0)))
        model.lib.run_bits.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
        model.lib.run_bits(model.model, stimulus.ctypes.data, response.ctypes.data, len(stimulus))
    return response


def with_another_bit(design, pattern, folder):
    """A copy of a mapped design with the lowest bit of one digit of its Verilog inverted.

    Args:
        pattern: regular expression with the groups text before, digit, text behind; its first match counts.
    """
    text, count = re.subn(pattern, lambda match: f"{match[1]}{int(match[2], 16) ^ 1:x}{match[3]}", design.top.read_text(),
                          count=1)
    assert count == 1
    top = folder / design.top.name
    top.write_text(text)
    return replace(design, top=top, sources=[*design.sources[:-1], top])
