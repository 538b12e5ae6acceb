# SPDX-License-Identifier: BSD-2-Clause
"""Proof of the drain sequencer, and what it assumes of programs and of the times at which tiles are ready."""

from dataclasses import replace

from migen import *

from liteformer.accel.gateware.sequencer import DrainSequencer
from liteformer.accel.hardware import drain_fields
from liteformer.flow.prove.control import decode, tiny
from liteformer.flow.prove.program import ProgramBench
from liteformer.flow.prove.proof import BOUNDED, Proof

ADDRESSES = ("base", "residual_read", "residual_write", "parameter")
LOAD = 4    # Cycles from the start in which no tile becomes ready.


def columns_of(values, tile):
    """Columns of a tile of an instruction."""
    if tile == 0:
        return values["columns_first"] + 1
    return values["columns_last_tile" if tile == values["tiles_last"] else "columns_last"] + 1


def walk(hw, values):
    """What an instruction drains: for each tile a list of (column, group, dict of addresses), one per cycle."""
    tiles, channel = [], 0
    for tile in range(values["tiles_last"] + 1):
        cycles = []
        for n in range(columns_of(values, tile)):
            at = {name: values[name] + channel for name in ADDRESSES}
            at["parameter"] = values["parameter"] + channel * values["parameter_step"]
            if values["to_value"]:
                at["base"] = values["base"] + tile * hw.value_tokens
            groups = 1 if values["wide"] or values["single"] else hw.groups
            cycles += [(n % hw.columns, n // hw.columns if values["wide"] else group, at) for group in range(groups)]
            channel += 1
        tiles.append(cycles)
    return tiles


def keeps_to(hw, program):
    """Whether a drain program is one for which the proof holds: its last instruction alone ends it, tiles have no more columns
    than there are, and no address passes the end of its memory.

    Args:
        hw: Hardware; program: instruction words.
    """
    fields = drain_fields(hw)
    for number, word in enumerate(program):
        values = decode(fields, word)
        wide, tiles = values["wide"], walk(hw, values)
        if values["end"] != (number == len(program) - 1) or (wide and values["single"]):
            return False
        most = hw.columns * (hw.groups if wide else 1)
        if any(values[name] >= most for name in ("columns_first", "columns_last", "columns_last_tile")):
            return False
        used = {"residual_read": (values["residual"], hw.residual_depth), "parameter": (1, hw.parameter_depth),
                "residual_write": (values["to_residual"], hw.residual_depth)}
        for target, depth in (("row", hw.row_depth), ("key", hw.key_depth), ("value", hw.value_depth), ("output", hw.outputs)):
            if values[f"to_{target}"]:
                used["base"] = 1, min(depth, used.get("base", (1, depth))[1])
        for _, group, at in (cycle for tile in tiles for cycle in tile):
            more = group if values["to_value"] else 0
            if any(needed and at[name] + (more if name == "base" else 0) >= depth for name, (needed, depth) in used.items()):
                return False
    return True


def ready_in_time(hw, program, ready):
    """Whether tiles become ready as the proof assumes: not before the one before is drained, and an instruction ends two cycles
    after the one before at least.

    Args:
        hw: Hardware; program: instruction words; ready: cycle of every tile, from the start on.
    """
    free, ended, ready = LOAD, 0, list(ready)
    for word in program:
        for tile in walk(hw, decode(drain_fields(hw), word)):
            if not ready or ready[0] < free:
                return False
            free = ready.pop(0) + len(tile)
        if free < ended + 2:
            return False
        ended = free
    return not ready


class DrainBench(ProgramBench):
    """What is drained is what ``walk`` says, one instruction after the other, for any two instructions."""

    def __init__(self, length=2):
        hw = replace(tiny().hw, rows=2, columns=2, requantizers=1, row_depth=8, key_depth=8, value_depth=8, residual_depth=8,
                     parameter_depth=8, widths=tiny().hw.widths | {"tiles_last": 1, "columns_last": 2})
        fields = drain_fields(hw)
        super().__init__(DrainSequencer, hw, fields, length, LOAD)
        ready = self.input(self.dut.tile_ready)
        self.assumed.append(~ready | (self.cycle >= length + 2 + LOAD))

        def kept(n, values):
            most = Mux(values["wide"], hw.columns * hw.groups, hw.columns)
            return [values["end"] == (n == length - 1), ~(values["wide"] & values["single"]),
                    *(values[name] < most for name in ("columns_first", "columns_last", "columns_last_tile"))]

        self.assume_of_instructions(kept)
        self._walk(hw, self.dut, ready, self.decoded, dict(fields))

    def _walk(self, hw, dut, ready, decoded, bits):
        """``walk`` as registers that move on with every cycle in which something is drained."""
        pc = Signal(max=len(decoded) + 1)
        now   = {name: Signal(width) for name, width in bits.items()}
        after = {name: Signal(width) for name, width in bits.items()}
        self.comb += [now[name].eq(Array([values[name] for values in decoded])[pc]) for name in now]
        self.comb += [after[name].eq(Array([values[name] for values in decoded[1:]])[pc]) for name in after]
        tile, column, group, channel = Signal(bits["tiles_last"]), Signal(4), Signal(2), Signal(8)
        last = Signal(bits["columns_last"])
        alone, group_end, tile_end, step_end, ended = (Signal() for _ in range(5))
        self.comb += [
            last.eq(Mux(tile == 0, now["columns_first"], Mux(tile == now["tiles_last"], now["columns_last_tile"],
                                                             now["columns_last"]))),
            alone.eq(now["wide"] | now["single"]),
            group_end.eq(alone | (group == hw.groups - 1)),
            tile_end.eq(group_end & (column == last)),
            step_end.eq(tile_end & (tile == now["tiles_last"])),
        ]
        self.sync += If(dut.valid,
            If(~group_end, group.eq(group + 1)).Else(
                group.eq(0), column.eq(column + 1), channel.eq(channel + 1),
                If(tile_end, column.eq(0), tile.eq(tile + 1)),
                If(step_end, tile.eq(0), channel.eq(0), If(now["end"], ended.eq(1)).Else(pc.eq(pc + 1))),
            ),
        )
        short = ((after["tiles_last"] == 0) & (after["columns_first"] == 0)
                 & (after["wide"] | after["single"] | (hw.groups == 1)))
        # As ``ready_in_time``, and no tile after the last.
        self.assumed += [~ready | ~dut.valid | tile_end, ~ready | ~dut.valid | ~step_end | ~short,
                         ~ready | ~ended, ~ready | ~dut.valid | ~step_end | ~now["end"]]
        expected = {name: Signal(bits[name], name=f"expected_{name}") for name in ADDRESSES}
        self.comb += [
            *(value.eq(now[name] + channel) for name, value in expected.items() if name in ("residual_read", "residual_write")),
            expected["base"].eq(now["base"] + Mux(now["to_value"], tile * hw.value_tokens, channel)),
            expected["parameter"].eq(now["parameter"] + Mux(now["parameter_step"], channel, 0)),
        ]
        place = Mux(now["wide"], column[0], column)
        checks = [
            ~ended, dut.column == place, dut.group == Mux(now["wide"], column[1:], group), dut.word_end == group_end,
            dut.finished == (step_end & now["end"]), dut.score_last == (step_end & now["score_end"]),
            *(getattr(dut, name) == value for name, value in expected.items()),
            *(getattr(dut.instruction, name) == now[name] for name in bits if name not in ADDRESSES),
        ]
        self.asserted += [~dut.valid | check for check in checks]
        # A tile that is ready is drained from the next cycle on, up to its end and no further.
        self.asserted += [~self.past(ready) | dut.valid,
                          ~self.past(dut.valid & ~tile_end) | dut.valid,
                          ~dut.valid | self.past(ready) | self.past(dut.valid & ~tile_end)]


PROOFS = [
    Proof("drain sequencer", "any program of two instructions drains the columns of its tiles, none skipped or doubled, at the "
          "addresses of its loops", "sequencer", DrainBench, BOUNDED, 28, (r"(_pc <= \(\w+_pc \+) 1'd1", r"\1 2'd2")),
]
