# SPDX-License-Identifier: BSD-2-Clause
"""VexRiscv with shorter paths against RV32I in Python and against the VexRiscv that it comes from: random programs, undisturbed
and interrupted, with traps and with accesses to the CPU's own registers."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path

import pytest
from litex.soc.cores.cpu.vexriscv.core import CPU_VARIANTS
from pythondata_cpu_vexriscv import data_location

from liteformer.soc import cpu as cpu_module
from liteformer.soc.vexriscv import distributed, shortened

from .random_programs import Program, assembly
from .rv32i import ECALL, ILLEGAL, JUMP_MISALIGNED, LOAD_MISALIGNED, STORE_MISALIGNED, Machine

HERE = Path(__file__).parent
REGISTERS, SCRATCH, TRAPS = 32, 16, 16
RUN = struct.Struct(f"<{REGISTERS}I{SCRATCH}I{1 + 3 * TRAPS}II")  # What programs.c sends of one run.
ROM_SIZE = 1 << 16
QUICK, MANY = 24, 120


@dataclass(frozen=True)
class Run:
    """One run of a program: ``left`` is all that must not depend on the CPU, ``interrupts`` their number."""

    registers: tuple
    scratch: tuple
    traps: tuple
    interrupts: int

    @property
    def left(self):
        return self.registers, self.scratch, self.traps


def runs(sent):
    """The whole runs among the bytes sent."""
    return [Run(words[:REGISTERS], words[REGISTERS:REGISTERS + SCRATCH], words[REGISTERS + SCRATCH:-1], words[-1])
            for words in (RUN.unpack_from(sent, place) for place in range(0, len(sent) - RUN.size + 1, RUN.size))]


def causes(several):
    """Causes of all traps, as a set."""
    return {run.traps[1 + 3 * number] for run in several for number in range(min(run.traps[0], TRAPS))}


@pytest.fixture
def run_programs(simulate, tmp_path, monkeypatch):
    """Runs random programs: returns what they leave in Python, and on a CPU whose Verilog has gone through ``change``."""
    def run(change=shortened, first=0, count=QUICK, variant=None):
        monkeypatch.setattr(cpu_module, "shortened", change)
        programs = [Program(seed, traps=seed % 3 == 1, status=seed % 3 == 2) for seed in range(first, first + count)]
        (tmp_path / "programs.S").write_text(assembly(programs))
        simulation = simulate(rom_size=ROM_SIZE, cpu_variant=variant,
                              applications=(HERE / "programs.c", HERE / "run_program.S", tmp_path / "programs.S"))
        soc = simulation.soc
        machine = Machine(soc.firmware, soc.csr_regions["uart"].origin, soc.bus.regions["sram"].size)
        sent = machine.run(20_000 * count)
        # Six cycles an instruction, and the interrupts.
        return runs(sent), runs(simulation.run(8 * machine.instructions, len(sent)))
    return run


def differing(expected, got):
    """Numbers of the runs that leave something else, or did not end."""
    return [number for number, run in enumerate(expected) if number >= len(got) or run.left != got[number].left]


def untried(expected, got):
    """What the programs were to do and did not: list of texts."""
    # Each program twice, but for those with registers that an interrupt changes.
    interrupted = [run for run in got if run.interrupts]
    done = {
        "a quarter is interrupted": len(interrupted) > len(got) / 4,
        "Python knows no interrupts": not any(run.interrupts for run in expected),
        "every cause of a trap": causes(expected) == {JUMP_MISALIGNED, ILLEGAL, LOAD_MISALIGNED, STORE_MISALIGNED, ECALL},
        "every cause while interrupted": causes(interrupted) == causes(expected),
        "results of many kinds": len({run.scratch for run in expected}) > len(expected) / 3,
    }
    return [text for text, was_done in done.items() if not was_done]


def test_programs_leave_what_they_leave_in_python(run_programs):
    """With the changes."""
    expected, got = run_programs()
    assert differing(expected, got) == [] and untried(expected, got) == []


def test_so_do_those_on_the_original(run_programs):
    """Without: what Python says is what VexRiscv does, down to mtval."""
    expected, got = run_programs(distributed)
    assert differing(expected, got) == [] and untried(expected, got) == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, QUICK + 5 * MANY, MANY))
def test_many_programs(run_programs, first):
    expected, got = run_programs(first=first, count=MANY)
    assert differing(expected, got) == [] and untried(expected, got) == []


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["lite", "standard"])
def test_other_variants(run_programs, variant):
    """Those to which other changes apply; their causes of traps differ."""
    expected, got = run_programs(variant=variant)
    plain = [number for number, run in enumerate(expected) if not run.traps[0]]
    assert len(plain) >= QUICK and not set(plain) & set(differing(expected, got))


# Faults ------------------------------------------------------------------------------------------

def memory_stage_forgotten(text):
    """The hazard unit does not see the memory stage."""
    return shortened(text).replace("if(when_HazardSimplePlugin_l57_1) begin", "if(1'b0) begin")


def waits_too_little(text):
    """The hazard unit waits a cycle less although the register file is read ahead."""
    return text.replace("    if(HazardSimplePlugin_writeBackBuffer_valid) begin\n", "    if(1'b0) begin\n")


def place_of_the_next(text):
    """The execute stage hands on the program counter of the decode stage, which a trap stores in mepc."""
    return shortened(text).replace("assign _zz_execute_SRC2 = execute_PC;", "assign _zz_execute_SRC2 = decode_PC;")


def one_operand_moves_on(text):
    """An operand does not wait with its instruction."""
    return re.sub(r"if\(when_Pipeline_l124\) begin(\s+decode_to_execute_SRC1 <=)", r"if(1'b1) begin\1", shortened(text))


def discards_one_too_few(text):
    """After a jump an instruction from the way that was left is executed."""
    return shortened(text).replace("? (IBusSimplePlugin_pending_value - 3'd1) : IBusSimplePlugin_pending_value)",
                                   "? (IBusSimplePlugin_pending_value - 3'd1) : (IBusSimplePlugin_pending_value - 3'd1))")


def skid_buffer_survives_a_jump(text):
    """An instruction from the way that was left waits in the skid buffer and is executed."""
    return shortened(text).replace("if(reset || IBusSimplePlugin_externalFlush || ", "if(reset || ")


def skid_buffer_takes_the_next(text):
    """While an instruction waits in the skid buffer, what arrives replaces it."""
    return shortened(text).replace("    if(! IBusSimplePlugin_skid_valid) begin\n      IBusSimplePlugin_skid_payload",
                                   "    if(1'b1) begin\n      IBusSimplePlugin_skid_payload")


FAULTS = [memory_stage_forgotten, skid_buffer_survives_a_jump,
          *(pytest.param(fault, marks=pytest.mark.slow) for fault in (place_of_the_next, waits_too_little, one_operand_moves_on,
                                                                      discards_one_too_few, skid_buffer_takes_the_next))]


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_seen(run_programs, fault):
    """Negative control: each is one change of text, and leaves other values."""
    original = (Path(data_location) / f"{CPU_VARIANTS['minimal']}.v").read_text()
    assert fault(original) not in (original, shortened(original))
    assert differing(*run_programs(fault))
