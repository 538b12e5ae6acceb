# SPDX-License-Identifier: BSD-2-Clause
"""From a model to steps: every matrix product of an inference, with its operands, destination and parameters."""

from dataclasses import dataclass, field, replace

from liteformer.accel.gateware.sequencer import (
    ROW_INPUT,
    ROW_MEMORY,
    ROW_PROBABILITY,
    ROW_WHOLE,
    key_source,
    stream_source,
    value_source,
    wide_key_source,
)


@dataclass
class Step:
    """One instruction pair: ``tiles`` tiles of ``passes`` times ``k`` cycles.

    ``mode``: narrow (all rows, one column group), wide (one token, all column groups) or single (one token, one group).
    ``writes``: destinations among row, residual, key, value, score, output. The rest as in the instruction fields.
    """

    name: str
    kind: str
    layer: int
    k: int
    channels: int
    mode: str
    row_source: int
    row_base: int
    column_source: int
    column_base: int
    writes: tuple
    base: int = 0
    passes: int = 1
    row_continue: bool = False
    broadcast: bool = False
    column_step: bool = True
    pool: bool = False
    residual_read: int | None = None
    residual_write: int = 0
    parameter: int = 0
    parameter_step: bool = True
    reciprocal: bool = False
    head: int = 0
    score_end: bool = False
    clamp: int = 0
    macs: int = 0
    timing: dict = field(default_factory=dict)

    def tile_columns(self, hw):
        """Columns of a full tile."""
        return hw.wide_columns if self.mode == "wide" else hw.columns

    def tiles(self, hw):
        """Number of column tiles."""
        return -(-self.channels // self.tile_columns(hw))

    def last_columns(self, hw):
        """Columns of the last tile."""
        return self.channels - (self.tiles(hw) - 1) * self.tile_columns(hw)

    def column_cycles(self, hw):
        """Drain cycles of one column."""
        return hw.groups if self.mode == "narrow" else 1

    def interval(self, hw):
        """Cycles from the first issue of a tile to that of the next."""
        columns = self.channels if self.tiles(hw) == 1 else self.tile_columns(hw)
        return max(self.k * self.passes, columns * self.column_cycles(hw))


def build_steps(model, hw, layout, ahead=0):
    """All steps of an inference in the order of execution.

    Args:
        model: QuantizedModel; hw: Hardware; layout: Layout (addresses); ahead: tiles of values that a layer of one query
        computes before its scores, which meanwhile wait for keys and query.
    Returns:
        list of Step.
    """
    return _Builder(model.config, hw, layout, ahead).steps


class _Builder:
    """Emits the steps layer by layer; scores come early so that the softmax runs behind other products."""

    def __init__(self, config, hw, layout, ahead):
        self.config, self.hw, self.layout, self.steps, self.ahead = config, hw, layout, [], ahead
        for tile in range(hw.row_tiles):
            self._embed(tile)
        for layer in range(config.layers):
            if config.readout == "last" and layer == config.layers - 1:
                self._last_token_layer(layer)
            else:
                self._layer(layer)
        self._head()

    def _clamp(self, tensor):
        return self.hw.clamps.index(self.config.bits[tensor])

    def _linear(self, name, tile, *, out, mode="narrow", rows=None, channels=None, **fields):
        """A product with constant weights; ``channels`` is a (first, count) slice of the outputs."""
        first, count = channels or (0, self.layout.linears[name][0])
        inputs = self.layout.linears[name][1]
        stream, base = self.layout.weights[name, first]
        step = Step(name=f"{name}[{tile}]" if self.hw.row_tiles > 1 else name, kind=name.rpartition(".")[2],
                    layer=_layer_of(name), k=inputs, channels=count, mode=mode, row_source=ROW_MEMORY, row_base=rows,
                    column_source=stream_source(stream), column_base=base,
                    parameter=self.layout.parameters[name] + first, clamp=self._clamp(out) if out else 0,
                    macs=count * inputs * (self.hw.rows if mode == "narrow" else 1), writes=())
        for key, value in fields.items():
            setattr(step, key, value)
        self.steps.append(step)

    def _embed(self, tile):
        d, hw = self.config.d_model, self.hw
        self._linear("embed", tile, out="hidden", rows=tile * hw.token_inputs, row_source=ROW_INPUT, passes=hw.input_digits,
                     writes=("row", "residual"), base=self.layout.hidden(tile),
                     residual_read=self.layout.position(tile), residual_write=tile * d)

    def _layer(self, layer):
        prefix, tiles = f"layers.{layer}", range(self.hw.row_tiles)
        self._keys(prefix)
        self._query(prefix, 0)
        self._scores(prefix, layer, 0)
        self.steps += self._values(prefix)[1]
        for tile in tiles:
            self._context(prefix, layer, tile)
            if tile + 1 < self.hw.row_tiles:
                self._query(prefix, tile + 1)
                self._scores(prefix, layer, tile + 1)
            self._feed_forward(prefix, layer, tile, "narrow")

    def _last_token_layer(self, layer):
        prefix, tile = f"layers.{layer}", self.hw.row_tiles - 1
        self._keys(prefix)
        self._query(prefix, tile, "wide")
        first, rest = self._values(prefix, self.ahead)
        self.steps += first
        self._scores(prefix, layer, tile, "wide")
        self.steps += rest
        self._context(prefix, layer, tile, "single")
        self._feed_forward(prefix, layer, tile, "wide")

    def _keys(self, prefix):
        for tile in range(self.hw.row_tiles):
            self._linear(f"{prefix}.key", tile, out=f"{prefix}.key", rows=self.layout.hidden(tile), writes=("key",),
                         base=tile * self.config.d_model)

    def _values(self, prefix, ahead=0):
        """Steps of the values, two lists: those of the first ``ahead`` column tiles, and the rest."""
        first, rest = [], []
        for tile in range(self.hw.row_tiles):
            for head in range(self.config.heads):
                early, late = self._cut(self._value(prefix, tile, head), ahead)
                first, rest = first + early, rest + late
                ahead -= sum(step.tiles(self.hw) for step in early)
        return first, rest

    def _cut(self, step, tiles):
        """A step of values in two after a number of tiles: two lists of one step or none."""
        if not 0 < tiles < step.tiles(self.hw):
            return ([step], []) if tiles else ([], [step])
        done = tiles * self.hw.columns
        left = step.channels - done
        return [replace(step, channels=done, macs=step.macs * done // step.channels, timing={})], [
            replace(step, channels=left, macs=step.macs * left // step.channels, timing={}, parameter=step.parameter + done,
                    column_base=step.column_base + tiles * step.k, base=step.base + tiles * self.hw.value_tokens)]

    def _value(self, prefix, tile, head):
        size = self.config.head_dim
        self._linear(f"{prefix}.value", tile, out=f"{prefix}.value", rows=self.layout.hidden(tile), writes=("value",),
                     channels=(head * size, size), base=self.layout.value(head) + tile * self.hw.groups)
        return self.steps.pop()

    def _query(self, prefix, tile, mode="narrow"):
        self._linear(f"{prefix}.query", tile, out=f"{prefix}.query", mode=mode, rows=self.layout.hidden(tile),
                     broadcast=mode == "wide", writes=("row",), base=self.layout.query)

    def _scores(self, prefix, layer, tile, mode="narrow"):
        hw, size = self.hw, self.config.head_dim
        wide = mode == "wide" and hw.rows <= hw.wide_columns
        for head in range(self.config.heads):
            for keys in range(hw.row_tiles):
                rows = 1 if mode == "wide" else hw.rows
                self.steps.append(Step(
                    name=f"{prefix}.score", kind="score", layer=layer, k=size, channels=hw.rows,
                    mode=("wide" if wide else "single") if mode == "wide" else "narrow",
                    row_source=ROW_MEMORY, row_base=self.layout.query + head * size,
                    column_source=wide_key_source(hw) if wide else key_source(hw),
                    column_base=keys * self.config.d_model + head * size, column_step=False, writes=("score",),
                    parameter=self.layout.parameters[f"{prefix}.score"] + head, parameter_step=False, head=head,
                    score_end=keys == hw.row_tiles - 1, clamp=len(hw.clamps), macs=rows * hw.rows * size))

    def _context(self, prefix, layer, tile, mode="narrow"):
        hw, size = self.hw, self.config.head_dim
        whole = mode == "single" and hw.whole
        for head in range(self.config.heads):
            self.steps.append(Step(
                name=f"{prefix}.context", kind="context", layer=layer, k=hw.tokens,
                passes=1 if whole else hw.probability_digits, channels=size, mode=mode,
                row_source=ROW_WHOLE if whole else ROW_PROBABILITY, row_base=head * hw.tokens,
                column_source=value_source(hw), column_base=self.layout.value(head), writes=("row",),
                base=self.layout.context + head * size, parameter=self.layout.parameters["zero"], parameter_step=False,
                reciprocal=True, head=head, clamp=self._clamp(f"{prefix}.context"),
                macs=hw.tokens * size * (hw.rows if mode == "narrow" else 1)))

    def _feed_forward(self, prefix, layer, tile, mode):
        """Output projection and the two feed-forward products, each with its residual."""
        layout, hidden = self.layout, self.layout.hidden(tile)
        residual = {"residual_read": tile * self.config.d_model, "residual_write": tile * self.config.d_model}
        self._linear(f"{prefix}.project", tile, out=f"{prefix}.attended", mode=mode, rows=layout.context,
                     writes=("row", "residual"), base=hidden, **residual)
        self._linear(f"{prefix}.expand", tile, out=f"{prefix}.expanded", mode=mode, rows=hidden, writes=("row",),
                     base=layout.expanded)
        self._linear(f"{prefix}.contract", tile, out=f"{prefix}.hidden", mode=mode, rows=layout.expanded,
                     writes=("row", "residual"), base=hidden, **residual)

    def _head(self):
        hw, mean = self.hw, self.config.readout == "mean"
        self._linear("head", 0, out=None, mode="narrow" if mean else "single",
                     rows=self.layout.hidden(0 if mean else hw.row_tiles - 1), writes=("output",),
                     passes=hw.row_tiles if mean else 1, row_continue=mean, pool=mean)
        # Summing the rows first would need one product per channel; that is what counts as useful work.
        self.steps[-1].macs = self.config.d_model * self.config.outputs


def _layer_of(name):
    return int(name.split(".")[1]) if name.startswith("layers.") else -1
