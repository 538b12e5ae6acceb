# SPDX-License-Identifier: BSD-2-Clause
"""The two sequencers: one issues the array's operands, the other drains its sums; each runs its own program."""

from migen import *

from litex.gen import *

from liteformer.accel.hardware import compute_fields, drain_fields


class Instruction(LiteXModule):
    """A program memory with a prefetch register and the fields of the active instruction as signals.

    ``take`` moves on to the next instruction in the following cycle; ``rewind`` returns to the first. An instruction must be
    active for at least two cycles, so that the next one is fetched.

    Args:
        fields: list of (name, bits), lowest bits first; program: list of instruction words.
        loader: None for a fixed program, else (open, address, write, data) of a loader that goes through the memory;
            ``fetched`` then is the word at its address.
    Attributes:
        take, rewind; fetched: the next instruction; next: dict of its fields.
        The fields of the active instruction, by their names.
    """

    def __init__(self, fields, program, loader=None):
        depth    = max(len(program), 2)
        width    = sum(bits for _, bits in fields)
        self.take, self.rewind = Signal(), Signal()
        self.fetched = fetched = Signal(width, reset_less=True)

        # # #

        pc       = Signal(max=depth + 1)
        memory   = Memory(width, depth, init=list(program) + [0] * (depth - len(program)))
        port     = memory.get_port(async_read=True)
        current  = Signal(width, reset_less=True)
        self.specials += memory, port
        self.comb += port.adr.eq(pc)
        self.sync += [
            fetched.eq(port.dat_r),
            If(self.take, current.eq(fetched), pc.eq(pc + 1)),
            If(self.rewind, pc.eq(0)),
        ]
        if loader is not None:
            active, address, write, data = loader
            self.sync += If(active, pc.eq(address))
            load = memory.get_port(write_capable=True)
            self.specials += load
            self.comb += [load.adr.eq(address), load.dat_w.eq(data), load.we.eq(write)]
        self.next, shift = {}, 0
        for name, bits in fields:
            setattr(self, name, current[shift:shift + bits])
            self.next[name] = fetched[shift:shift + bits]
            shift += bits


class DownCounter:
    """A counter whose comparisons with zero and one are registers, which keeps them off the critical path.

    Attributes:
        value; zero: ``value`` is zero; one: ``value`` is one.
    """

    def __init__(self, bits):
        self.value = Signal(bits, reset_less=True)
        self.zero  = Signal(reset=1)
        self.one   = Signal()

    def load(self, value):
        """Statements that load ``value``."""
        return [self.value.eq(value), self.zero.eq(value == 0), self.one.eq(value == 1)]

    def step(self):
        """Statements that count down by one."""
        return [self.value.eq(self.value - 1), self.zero.eq(self.one), self.one.eq(self.value == 2)]


class ComputeSequencer(LiteXModule):
    """Issues one k per cycle: addresses and flags for the operand memories and the array.

    A step is ``tiles`` times ``passes`` times ``k``. A pass is a digit of the row operand (most significant first) or, with
    ``row_continue``, a further row tile accumulated into the same sums. Between tiles it waits ``gap`` cycles, before a step
    ``wait`` cycles, both computed by the compiler so that no operand is read before it is written.

    Attributes:
        start: pulse; busy: from start to the last issue.
        issue, first, shift, last: flags of this cycle; row_address, column_address; next_column_address: that of the next cycle;
        value_bank: token modulo requantizers;
        digit: weight of the row digit; tile: column tile within the step; row_source, column_source, broadcast: of the step.
    """

    def __init__(self, hw, program, loader=None):
        fields     = dict(compute_fields(hw))
        self.start = Signal()
        self.abort = Signal()
        self.busy  = Signal()
        self.issue, self.first, self.shift, self.last = Signal(), Signal(), Signal(), Signal()
        self.row_address    = Signal(fields["row_base"])
        self.column_address = Signal(fields["column_base"])
        self.next_column_address = Signal.like(self.column_address)
        self.value_bank     = Signal(max=max(hw.requantizers, 2))
        self.digit          = Signal(fields["passes_last"])
        self.tile           = Signal(fields["tiles_last"])

        # # #

        self.instruction = now = Instruction(compute_fields(hw), program, loader)
        self.row_source, self.column_source, self.broadcast = now.row_source, now.column_source, now.broadcast
        k, passes, tiles, idle = (DownCounter(fields[name]) for name in ("k_last", "passes_last", "tiles_last", "wait"))
        base    = Signal(fields["column_base"])
        first_k, first_pass = Signal(), Signal()
        loading = Signal()
        step    = Signal()
        is_value = Signal()
        k_end, pass_end, tile_end = Signal(), Signal(), Signal()
        self.comb += [
            k_end.eq(k.zero),
            pass_end.eq(k_end & passes.zero),
            tile_end.eq(pass_end & tiles.zero),
            self.first.eq(first_k & first_pass),
            self.shift.eq(first_k & ~first_pass & ~now.row_continue),
            self.last.eq(self.issue & pass_end),
            self.digit.eq(Mux(now.row_continue, 0, passes.value)),
            step.eq(self.issue & tile_end),
            now.take.eq(loading | (step & ~now.end)),
            now.rewind.eq(~self.busy),
            is_value.eq(now.column_source == value_source(hw)),
        ]
        advance = Signal.like(base)
        bank_end = Signal()
        self.comb += [
            bank_end.eq(~is_value | (self.value_bank == hw.requantizers - 1)),
            advance.eq(self.column_address + bank_end),
        ]
        # Whether there is a gap, known before it is counted.
        no_gap, short_gap = Signal(reset_less=True), Signal(reset_less=True)
        load = [
            no_gap.eq(now.next["gap"] == 0), short_gap.eq(now.next["gap"] == 1),
            *idle.load(now.next["wait"]), self.issue.eq(now.next["wait"] == 0),
            *k.load(now.next["k_last"]), *passes.load(now.next["passes_last"]),
            *tiles.load(now.next["tiles_last"]), base.eq(now.next["column_base"]),
            self.row_address.eq(now.next["row_base"]),
            self.tile.eq(0), self.value_bank.eq(0), first_k.eq(1), first_pass.eq(1),
        ]
        self.comb += [
            self.next_column_address.eq(self.column_address),
            If(self.issue,
                self.next_column_address.eq(Mux(k_end & ~(pass_end & now.column_step), base, advance)),
                If(tile_end, self.next_column_address.eq(now.next["column_base"])),
            ),
            If(loading, self.next_column_address.eq(now.next["column_base"])),
        ]
        self.sync += [
            self.column_address.eq(self.next_column_address),
            If(~idle.zero, *idle.step(), self.issue.eq(idle.one & self.busy)),
            If(self.issue,
                *k.step(),
                first_k.eq(k_end),
                self.row_address.eq(self.row_address + 1),
                self.value_bank.eq(Mux(bank_end, 0, self.value_bank + 1)),
                If(k_end,
                    *k.load(now.k_last),
                    *passes.step(),
                    first_pass.eq(0),
                    self.value_bank.eq(0),
                    If(~now.row_continue | pass_end, self.row_address.eq(now.row_base)),
                ),
                If(pass_end,
                    *passes.load(now.passes_last),
                    first_pass.eq(1),
                    *tiles.step(),
                    self.tile.eq(self.tile + 1),
                    idle.value.eq(now.gap), idle.zero.eq(no_gap), idle.one.eq(short_gap), self.issue.eq(no_gap),
                    If(now.column_step, base.eq(advance)),
                ),
                If(tile_end,
                    *load,
                    If(now.end, self.busy.eq(0), self.issue.eq(0), *idle.load(Constant(0))),
                ),
            ),
            # The program word is fetched while idle; the first instruction is active one cycle after start.
            loading.eq(self.start),
            If(self.start, self.busy.eq(1)),
            If(loading, *load),
            If(self.abort, self.busy.eq(0), self.issue.eq(0), loading.eq(0)),
        ]


class DrainSequencer(LiteXModule):
    """Walks over the drain registers of each finished tile and names source and destination of each result.

    Attributes:
        tile_ready: pulse one cycle before the drain registers hold a tile; start: rewinds the program.
        valid: a group of results is selected in this cycle; column, group: which; next_column: ``column`` of the next cycle;
        word_end: it completes a destination word;
        finished: it is the last of the program. instruction: the active Instruction.
        base, residual_read, residual_write, parameter: addresses of this cycle.
    """

    def __init__(self, hw, program, loader=None):
        fields          = dict(drain_fields(hw))
        self.start      = Signal()
        self.abort      = Signal()
        self.tile_ready = Signal()
        self.valid      = Signal()
        self.column     = Signal(max=max(hw.columns, 2))
        self.next_column = Signal.like(self.column)
        self.group      = Signal(max=max(hw.groups, 2))
        self.word_end   = Signal()
        self.score_last = Signal()
        self.finished   = Signal()
        self.base           = Signal(fields["base"])
        self.residual_read  = Signal(fields["residual_read"])
        self.residual_write = Signal(fields["residual_write"])
        self.parameter      = Signal(fields["parameter"])

        # # #

        self.instruction = now = Instruction(drain_fields(hw), program, loader)
        # Whether steps have one group only, and whether the last group is selected: registers, ahead of their use.
        alone     = Signal(reset_less=True)
        group_end = Signal(reset_less=True)
        tiles     = DownCounter(fields["tiles_last"])
        remaining = DownCounter(fields["columns_last"])
        column_end, tile_end, step_end = Signal(), Signal(), Signal()
        loading   = Signal(2)
        self.comb += [
            self.word_end.eq(group_end),
            column_end.eq(group_end & remaining.zero),
            tile_end.eq(self.valid & group_end & remaining.zero),
            step_end.eq(self.valid & group_end & remaining.zero & tiles.zero),
            self.score_last.eq(step_end & now.score_end),
            self.finished.eq(step_end & now.end),
            now.take.eq(loading[1] | (step_end & ~now.end)),
            now.rewind.eq(self.start),
        ]
        self.comb += [
            self.next_column.eq(self.column),
            If(self.valid & group_end,
                self.next_column.eq(self.column + 1),
                If(remaining.zero | (now.wide & (self.column == hw.columns - 1)), self.next_column.eq(0)),
            ),
            If(self.abort | self.start, self.next_column.eq(0)),
        ]
        nxt  = now.next
        load = [
            *tiles.load(nxt["tiles_last"]),
            *remaining.load(nxt["columns_first"]),
            alone.eq(nxt["wide"] | nxt["single"]), group_end.eq(nxt["wide"] | nxt["single"] | (hw.groups == 1)),
            self.base.eq(nxt["base"]), self.residual_read.eq(nxt["residual_read"]),
            self.residual_write.eq(nxt["residual_write"]), self.parameter.eq(nxt["parameter"]),
        ]
        self.sync += [
            loading.eq(Cat(self.start, loading)),
            self.valid.eq(self.tile_ready | (self.valid & ~column_end)),
            If(self.valid,
                If(now.wide,
                    If(self.column == hw.columns - 1, self.group.eq(self.group + 1)),
                ).Else(
                    self.group.eq(self.group + 1),
                    If(group_end, self.group.eq(0)),
                ),
                group_end.eq(alone | (hw.groups == 1) | (~group_end & (self.group == hw.groups - 2))),
                If(group_end,
                    *remaining.step(),
                    # Values advance once per tile, everything else once per column.
                    If(~now.to_value, self.base.eq(self.base + 1)),
                    self.residual_read.eq(self.residual_read + 1),
                    self.residual_write.eq(self.residual_write + 1),
                    self.parameter.eq(self.parameter + now.parameter_step),
                ),
                If(tile_end,
                    self.group.eq(0),
                    *tiles.step(),
                    *remaining.load(Mux(tiles.one, now.columns_last_tile, now.columns_last)),
                    If(now.to_value, self.base.eq(self.base + hw.value_tokens)),
                ),
                If(step_end, *load),
            ),
            If(loading[1], *load),
            If(self.abort | self.start, self.valid.eq(0), self.group.eq(0)),
            self.column.eq(self.next_column),
        ]


def stream_source(index):
    """``column_source`` of weight stream ``index``."""
    return index


def key_source(hw):
    """``column_source`` of the key memory."""
    return len(hw.streams)


def value_source(hw):
    """``column_source`` of the value memory."""
    return len(hw.streams) + 1


def wide_key_source(hw):
    """``column_source`` of the key memory where group g takes the g-th tile of tokens."""
    return len(hw.streams) + 2


ROW_MEMORY, ROW_INPUT, ROW_PROBABILITY = range(3)
