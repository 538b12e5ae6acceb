# SPDX-License-Identifier: BSD-2-Clause
"""The two sequencers: one issues the array's operands, the other drains its sums; each runs its own program."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.copies import kept_copy
from liteformer.accel.hardware import compute_fields, drain_fields


class Instruction(LiteXModule):
    """A program memory with a prefetch register and the fields of the active instruction as signals.

    ``take`` moves on to the next instruction in the following cycle; ``rewind`` returns to the first. An instruction must be
    active for at least two cycles, so that the next one is fetched.

    Args:
        fields: list of (name, bits), lowest bits first; program: list of instruction words.
        loader: None for a fixed program, else (open, address, write, data) of a loader that goes through the memory;
            ``fetched`` then is the word at its address.
        counted: names of the fields that counters are loaded with.
    Attributes:
        take, rewind; fetched: the next instruction; next: dict of its fields.
        The fields of the active instruction, by their names.
        counts, next_counts: dict of counted field -> (value, whether it is zero, whether it is one) of the active and of the
        next instruction, all registers.
    """

    def __init__(self, fields, program, loader=None, counted=()):
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
        self.next, self.counts, self.next_counts, shift = {}, {}, {}, 0
        for name, bits in fields:
            setattr(self, name, current[shift:shift + bits])
            self.next[name] = fetched[shift:shift + bits]
            if name in counted:
                ahead, active = ([Signal(reset_less=True) for _ in range(2)] for _ in range(2))
                for value, flags in enumerate(zip(ahead, active)):
                    self.sync += [flags[0].eq(port.dat_r[shift:shift + bits] == value), If(self.take, flags[1].eq(flags[0]))]
                self.next_counts[name], self.counts[name] = (self.next[name], *ahead), (getattr(self, name), *active)
            shift += bits


class NextState:
    """Next values of a module's registers as signals: statements that assign to them are combinational, so that a register and
    its copies can follow the same value.

    Args:
        module: that has the registers.
    """

    def __init__(self, module):
        self._module, self._next = module, {}

    def __call__(self, register):
        """The Signal that ``register`` takes over at the end of the cycle."""
        return self._next.setdefault(register, Signal.like(register))

    def follow(self, *statements):
        """Add the statements; a register that they do not assign to holds its value."""
        self._module.comb += [*(following.eq(register) for register, following in self._next.items()), *statements]
        self._module.sync += [register.eq(following) for register, following in self._next.items()]

    def copy(self, register):
        """A copy of a register that synthesis keeps apart from it."""
        return kept_copy(self._module, self(register))


class DownCounter:
    """A counter whose comparisons with zero and one are registers, which keeps them off the critical path.

    Args:
        bits: width; following: NextState of the module.
    Attributes:
        value; zero: ``value`` is zero; one: ``value`` is one.
    """

    def __init__(self, bits, following):
        self.value = Signal(bits, reset_less=True)
        self.zero  = Signal(reset=1)
        self.one   = Signal()
        self._following = [following(signal) for signal in (self.value, self.zero, self.one)]

    def set(self, value, zero, one):
        """Statements that load ``value``, of which it is known whether it is zero or one."""
        return [following.eq(given) for following, given in zip(self._following, (value, zero, one))]

    def step(self):
        """Statements that count down by one."""
        return self.set(self.value - 1, self.one, self.value == 2)


class ComputeSequencer(LiteXModule):
    """Issues one k per cycle: addresses and flags for the operand memories and the array.

    A step is ``tiles`` times ``passes`` times ``k``. A pass is a digit of the row operand (most significant first) or, with
    ``row_continue``, a further row tile accumulated into the same sums. Between tiles it waits ``gap`` cycles, before a step
    ``wait`` cycles, both computed by the compiler so that no operand is read before it is written.

    Attributes:
        start: pulse; busy: from start to the last issue.
        issue, first, shift, last: flags of this cycle; row_address, column_address; next_column_address: that of the next
        cycle; value_bank: token modulo requantizers;
        k: DownCounter of the issues that follow in a pass;
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

        self.instruction = now = Instruction(compute_fields(hw), program, loader,
                                             ("k_last", "passes_last", "tiles_last", "gap", "wait"))
        self.row_source, self.column_source, self.broadcast = now.row_source, now.column_source, now.broadcast
        following = NextState(self)
        k, passes, tiles, idle = (DownCounter(fields[name], following)
                                  for name in ("k_last", "passes_last", "tiles_last", "wait"))
        self.k = k
        base    = Signal(fields["column_base"])
        first_k, first_pass = Signal(), Signal()
        loading  = Signal()
        is_value = Signal()
        k_end, pass_end = Signal(), Signal()
        # Much depends on the end of a tile and of a step, and on the load that follows: registers of their own, which are
        # predicted from registers instead of from the next values, so that a load comes in last.
        ready, nxt = now.counts, now.next_counts
        tile, loads = Signal(), Signal()
        ends = Mux(loads, nxt["wait"][1] & nxt["k_last"][1] & nxt["passes_last"][1],
               Mux(tile, ready["gap"][1] & ready["k_last"][1] & ready["passes_last"][1],
               Mux(self.issue, Mux(k.zero, ready["k_last"][1] & passes.one, k.one & passes.zero),
                   idle.one & self.busy & k.zero & passes.zero)))
        last_tile = Mux(loads, nxt["tiles_last"][1], Mux(tile, tiles.one, tiles.zero))
        step = Signal()
        tile_next = ends & ~(step & now.end) & ~self.abort
        step_next = tile_next & last_tile
        self.comb += [
            end.eq(kept_copy(self, ahead, reset=True))
            for end, ahead in ((tile, tile_next), (step, step_next), (loads, step_next | (self.start & ~self.abort)))
        ]
        self.comb += [
            k_end.eq(k.zero),
            pass_end.eq(k_end & passes.zero),
            self.first.eq(first_k & first_pass),
            self.shift.eq(first_k & ~first_pass & ~now.row_continue),
            self.last.eq(self.issue & pass_end),
            self.digit.eq(Mux(now.row_continue, 0, passes.value)),
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
        load = [
            *idle.set(*now.next_counts["wait"]), following(self.issue).eq(now.next_counts["wait"][1]),
            *k.set(*now.next_counts["k_last"]), *passes.set(*now.next_counts["passes_last"]),
            *tiles.set(*now.next_counts["tiles_last"]), following(base).eq(now.next["column_base"]),
            following(self.row_address).eq(now.next["row_base"]),
            following(self.tile).eq(0), following(self.value_bank).eq(0), following(first_k).eq(1), following(first_pass).eq(1),
        ]
        following.follow(
            If(~idle.zero, *idle.step(), following(self.issue).eq(idle.one & self.busy)),
            If(self.issue,
                *k.step(),
                following(first_k).eq(k_end),
                following(self.row_address).eq(self.row_address + 1),
                following(self.value_bank).eq(Mux(bank_end, 0, self.value_bank + 1)),
                If(k_end,
                    *k.set(*now.counts["k_last"]),
                    *passes.step(),
                    following(first_pass).eq(0),
                    following(self.value_bank).eq(0),
                    If(~now.row_continue | pass_end, following(self.row_address).eq(now.row_base)),
                ),
                If(pass_end,
                    *passes.set(*now.counts["passes_last"]),
                    following(first_pass).eq(1),
                ),
            ),
            If(tile,
                *tiles.step(),
                following(self.tile).eq(self.tile + 1),
                *idle.set(*now.counts["gap"]), following(self.issue).eq(now.counts["gap"][1]),
                If(now.column_step, following(base).eq(advance)),
            ),
            If(loads, *load),
            If(step & now.end, following(self.busy).eq(0), following(self.issue).eq(0), *idle.set(0, 1, 0)),
            # The program word is fetched while idle; the first instruction is active one cycle after start.
            following(loading).eq(self.start),
            If(self.start, following(self.busy).eq(1)),
            If(self.abort, following(self.busy).eq(0), following(self.issue).eq(0), following(loading).eq(0)),
        )
        self.comb += [
            self.next_column_address.eq(self.column_address),
            If(self.issue, self.next_column_address.eq(Mux(k_end & ~(tile & now.column_step), base, advance))),
            If(loads, self.next_column_address.eq(now.next["column_base"])),
        ]
        self.sync += self.column_address.eq(self.next_column_address)


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

        self.instruction = now = Instruction(drain_fields(hw), program, loader,
                                             ("tiles_last", "columns_first", "columns_last", "columns_last_tile"))
        # Whether steps have one group only, and whether the last group is selected: registers, ahead of their use.
        alone     = Signal(reset_less=True)
        group_end = Signal(reset_less=True)
        following = NextState(self)
        tiles     = DownCounter(fields["tiles_last"], following)
        remaining = DownCounter(fields["columns_last"], following)
        # Copies for the end of a step, on which much depends.
        valid, last_group, last_column, last_tile = (
            following.copy(flag) for flag in (self.valid, group_end, remaining.zero, tiles.zero))
        column_end, tile_end, step_end = Signal(), Signal(), Signal()
        loading   = Signal(2)
        self.comb += [
            self.word_end.eq(group_end),
            column_end.eq(group_end & remaining.zero),
            tile_end.eq(self.valid & group_end & remaining.zero),
            step_end.eq(valid & last_group & last_column & last_tile),
            self.score_last.eq(step_end & now.score_end),
            self.finished.eq(step_end & now.end),
            now.take.eq(loading[1] | (step_end & ~now.end)),
            now.rewind.eq(self.start),
        ]
        self.sync += self.column.eq(self.next_column)
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
            *tiles.set(*now.next_counts["tiles_last"]),
            *remaining.set(*now.next_counts["columns_first"]),
            following(alone).eq(nxt["wide"] | nxt["single"]),
            following(group_end).eq(nxt["wide"] | nxt["single"] | (hw.groups == 1)),
            following(self.base).eq(nxt["base"]), following(self.residual_read).eq(nxt["residual_read"]),
            following(self.residual_write).eq(nxt["residual_write"]), following(self.parameter).eq(nxt["parameter"]),
        ]
        following.follow(
            following(loading).eq(Cat(self.start, loading)),
            following(self.valid).eq(self.tile_ready | (self.valid & ~column_end)),
            If(self.valid,
                If(now.wide,
                    If(self.column == hw.columns - 1, following(self.group).eq(self.group + 1)),
                ).Else(
                    following(self.group).eq(self.group + 1),
                    If(group_end, following(self.group).eq(0)),
                ),
                following(group_end).eq(alone | (hw.groups == 1) | (~group_end & (self.group == hw.groups - 2))),
                If(group_end,
                    *remaining.step(),
                    # Values advance once per tile, everything else once per column.
                    If(~now.to_value, following(self.base).eq(self.base + 1)),
                    following(self.residual_read).eq(self.residual_read + 1),
                    following(self.residual_write).eq(self.residual_write + 1),
                    following(self.parameter).eq(self.parameter + now.parameter_step),
                ),
                If(tile_end,
                    following(self.group).eq(0),
                    *tiles.step(),
                    *remaining.set(*(Mux(tiles.one, last, other) for last, other in zip(
                        now.counts["columns_last_tile"], now.counts["columns_last"]))),
                    If(now.to_value, following(self.base).eq(self.base + hw.value_tokens)),
                ),
                If(step_end, *load),
            ),
            If(loading[1], *load),
            If(self.abort | self.start, following(self.valid).eq(0), following(self.group).eq(0)),
        )


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


ROW_MEMORY, ROW_INPUT, ROW_PROBABILITY, ROW_WHOLE = range(4)
