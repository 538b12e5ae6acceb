# SPDX-License-Identifier: BSD-2-Clause
"""The shape of one build: everything fixed in gates, as opposed to the program."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from liteformer.accel.devices import DSP48E1, RAM_18K, DspBlock
from liteformer.accel.numerics import SCORE_BITS

# Cycles from issuing the last k of a tile to its sums in the drain registers, besides those of a product.
ISSUE_TO_DRAIN = 5
# Cycles from selecting a sum in the drain registers to its result being visible to a read that is issued then.
DRAIN_TO_VISIBLE = 8


# Widths of the counters in the instructions; a compiled program narrows or widens them as needed.
DEFAULT_WIDTHS = {"wait": 8, "k_last": 8, "passes_last": 2, "tiles_last": 6, "gap": 6, "columns_last": 4}


@dataclass(frozen=True)
class StreamShape:
    """One weight memory: read front to back, one word per cycle.

    Attributes:
        bits: width of a weight.
        groups: words of ``columns`` weights side by side.
        depth: words.
        plan: ``gateware.weights.StreamPlan``.
    """

    bits: int
    groups: int
    depth: int
    plan: object = None


@dataclass(frozen=True)
class Hardware:
    """Everything that shapes the gateware. Widths are bits of signed numbers unless said otherwise; depths are words.

    Attributes:
        rows: lanes of a column; a row is a token.
        columns: lanes of a row; a column is an output channel or a key token.
        requantizers: results finished in a cycle; divides ``rows``.
        dsp_lanes: lanes made of DSP blocks, two to each; pump: four where two rows can share one, at twice the clock.
        row_bits: width of a lane's row operand, a digit.
        column_bits: width of a lane's column operand.
        accumulator_bits: width of a lane's sum.
        row_tiles: tiles of ``rows`` tokens in a window.
        features: values of a raw sample.
        patch: raw samples of a token; stride: raw samples from one token's first to the next one's.
        outputs: results of an inference.
        heads: attention heads of a layer.
        layers: encoder layers.
        input_bits: width of a quantized sample.
        input_high: largest quantized sample; ``input_digits`` digits can hold it.
        input_digits: row operands of a quantized sample.
        probability_digits: row operands of a softmax weight.
        pool: a mean readout is possible.
        wide: one-token steps have several column groups side by side, a row each (last-token readout).
        streams: tuple of StreamShape, the weight memories.
        row_depth: row memory, a channel of ``rows`` tokens per word.
        residual_depth: residual memory, likewise: hidden state in the lower half, positional encoding in the upper one.
        key_depth: key memory, a channel of ``rows`` key tokens per word.
        value_depth: each of the ``requantizers`` banks of the value memory, ``columns`` channels of one token per word.
        parameter_depth: multiplier and bias memories, an output channel per word.
        residual_parameters: residual multiplier memory, likewise.
        multiplier_bits: width of M.
        residual_bits: width of N.
        offset_bits: width of B.
        numerator_bits: width of the softmax numerators, unsigned.
        table_length: entries of the softmax table.
        table_top: entry 0, its largest.
        clamps: tuple of the widths that results other than scores and samples are clamped to.
        skip_features: tuple of the features added to the outputs; empty without persistence skip.
        head_bits: width of the head's sum over all tokens.
        loadable: the model can be replaced at run time, so everything that holds it is a RAM behind a loader.
        dsp_block: DspBlock of the device; ram_shapes: (words, bits) of its smallest block RAM; read_ports: of one.
        styles: dict memory name -> block or distributed.
        widths: dict instruction field -> bits, unsigned.
    """

    rows: int
    columns: int
    requantizers: int
    dsp_lanes: int
    row_bits: int
    column_bits: int
    accumulator_bits: int
    row_tiles: int
    features: int
    outputs: int
    heads: int
    layers: int
    input_bits: int
    input_high: int
    input_digits: int
    probability_digits: int
    pool: bool
    wide: bool
    streams: tuple
    row_depth: int
    residual_depth: int
    key_depth: int
    value_depth: int
    parameter_depth: int
    residual_parameters: int
    multiplier_bits: int
    residual_bits: int
    offset_bits: int
    numerator_bits: int
    table_length: int
    table_top: int
    clamps: tuple
    skip_features: tuple
    head_bits: int
    loadable: bool = False
    # Not in the repr, which identifies loadable builds.
    patch: int = field(default=1, repr=False)
    stride: int = field(default=1, repr=False)
    pump: bool = field(default=False, repr=False)
    dsp_block: DspBlock = field(default=DSP48E1, repr=False)
    ram_shapes: tuple = field(default=RAM_18K, repr=False)
    read_ports: int = field(default=2, repr=False)
    styles: dict = field(default_factory=dict, hash=False)
    widths: dict = field(default_factory=lambda: dict(DEFAULT_WIDTHS), hash=False)

    @property
    def lanes(self):
        """Multiply-accumulates per cycle."""
        return self.rows * self.columns

    @property
    def quads(self):
        """Places of the lanes that share a DSP block by four: list of (row, column) of the first one."""
        return self._places[0]

    @property
    def pairs(self):
        """Places of those that share one by two, likewise."""
        return self._places[1]

    @cached_property
    def _places(self):
        return dsp_places(self.rows, self.columns, self.requantizers if self.wide else self.rows, self.dsp_lanes, self.pump)

    @property
    def one_query(self):
        """Attention is computed for a single token only: one layer with a last-token readout."""
        return self.wide and self.layers == 1

    @cached_property
    def whole(self):
        """Row 0 takes a single token's softmax weights whole, in one pass: its lanes are DSP lanes, which take all digits."""
        columns = sum(2 for row, _ in (*self.quads, *self.pairs) if row == 0)
        return self.wide and self.probability_digits > 1 and columns == self.columns

    @cached_property
    def softmax(self):
        """Hardware of the softmax, of one row where attention is computed for one token."""
        return replace(self, rows=1, requantizers=1, row_tiles=self.tokens) if self.one_query else self

    @property
    def product_cycles(self):
        """Cycles from the operand registers to a product: a copy, then an adder for each further Booth digit."""
        return 1 + max(1, -(-self.column_bits // 2) - 1)

    @property
    def issue_to_drain(self):
        """Cycles from issuing the last k of a tile to its sums in the drain registers."""
        return ISSUE_TO_DRAIN + self.product_cycles

    @property
    def groups(self):
        """Drain groups of a column; also the column groups of a wide step."""
        return self.rows // self.requantizers

    @property
    def tokens(self):
        """Tokens of a window."""
        return self.rows * self.row_tiles

    @property
    def samples(self):
        """Raw samples of a window."""
        return (self.tokens - 1) * self.stride + self.patch

    @property
    def token_inputs(self):
        """Values of a token."""
        return self.patch * self.features

    @property
    def value_tokens(self):
        """Words of one channel tile in a bank of the value memory."""
        return self.row_tiles * self.groups

    @property
    def key_tiles(self):
        """Column tiles that cover one row tile of key tokens in a narrow step."""
        return -(-self.rows // self.columns)

    @property
    def wide_columns(self):
        """Output channels of one tile of a wide step."""
        return self.groups * self.columns

    @property
    def pooled_bits(self):
        """Width of a sum over all rows."""
        return max(self.accumulator_bits, self.head_bits)

    @property
    def digits(self):
        """Most digits of a row operand."""
        return max(self.input_digits, self.probability_digits)

    @property
    def word_bits(self):
        """Width of one row's result written to a memory."""
        return max(self.row_bits, self.column_bits)


def dsp_places(rows, columns, group, lanes, pump):
    """Where the lanes made of DSP blocks are.

    Args:
        rows, columns: of the array; group: neighbouring rows that have the same column operands in every step;
        lanes: made of DSP blocks, at most; pump: four of two such rows share a block, where there are as many.
    Returns:
        ``(quads, pairs)``, lists of (row, column) of the first lane of each block.
    """
    quads, taken = [], set()
    if pump:
        starts = [(start + r, c) for start in range(0, rows, group) for r in range(0, min(group, rows - start) - 1, 2)
                  for c in range(0, columns - 1, 2)]
        quads = starts[:lanes // 4]
        taken = {(r + below, c) for r, c in quads for below in range(2)}
    pairs = [(r, c) for r in range(rows) for c in range(0, columns - 1, 2) if (r, c) not in taken]
    return quads, pairs[:max(0, lanes - 4 * len(quads)) // 2]


def memory_shapes(hw):
    """Memories of the engine that are block RAM or LUTs as a whole: name -> (depth, width, writable)."""
    word, softmax = hw.rows * hw.row_bits, hw.softmax
    return {
        "row": (hw.row_depth, word, True),
        "residual": (hw.residual_depth, word, True),
        "key": (hw.key_depth, hw.rows * hw.column_bits, True),
        "probability": (hw.heads * hw.tokens, softmax.rows * hw.row_bits * hw.probability_digits, True),
        "score": (hw.tokens * softmax.groups, softmax.requantizers * SCORE_BITS, True),
        "window": (hw.row_tiles * hw.token_inputs, word * hw.input_digits, True),
        "multiplier": (hw.parameter_depth, hw.multiplier_bits, hw.loadable),
        "offset": (hw.parameter_depth, hw.offset_bits, hw.loadable),
        "residual_multiplier": (hw.residual_parameters, hw.residual_bits, hw.loadable),
    }


def model_memories(hw, compute_words, drain_words):
    """Memories that hold a model, in the order in which a loader writes them: list of (name, depth, width, first word).

    The lower half of the residual memory is scratch.
    """
    streams = [(f"stream{index}", s.depth, s.groups * hw.columns * s.bits, 0) for index, s in enumerate(hw.streams)]
    return [
        ("compute", compute_words, word_bits(compute_fields(hw)), 0), ("drain", drain_words, word_bits(drain_fields(hw)), 0),
        *streams,
        ("multiplier", hw.parameter_depth, hw.multiplier_bits, 0), ("offset", hw.parameter_depth, hw.offset_bits, 0),
        ("residual_multiplier", hw.residual_parameters, hw.residual_bits, 0),
        ("residual", hw.residual_depth, hw.rows * hw.row_bits, hw.residual_depth // 2),
        ("numerators", hw.layers, hw.numerator_bits, 0),
    ]


def compute_fields(hw):
    """Fields of a compute instruction, lowest bits first: list of (name, bits)."""
    row_depth = max(hw.row_depth, hw.row_tiles * hw.token_inputs, hw.heads * hw.tokens)
    return [*((name, hw.widths[name]) for name in ("wait", "k_last", "passes_last", "tiles_last", "gap")), ("row_source", 2),
            ("row_base", _bits(row_depth)), ("row_continue", 1), ("broadcast", 1), ("column_source", 4),
            ("column_base", column_address_bits(hw)), ("column_step", 1), ("end", 1)]


def drain_fields(hw):
    """Fields of a drain instruction, lowest bits first: list of (name, bits)."""
    columns = hw.widths["columns_last"]
    return [("tiles_last", hw.widths["tiles_last"]),
            *((name, columns) for name in ("columns_first", "columns_last", "columns_last_tile")),
            *((name, 1) for name in ("wide", "single", "pool", "to_row", "to_residual", "to_key", "to_value", "to_score",
                                     "to_output")),
            ("base", max(_bits(hw.row_depth), _bits(hw.key_depth), _bits(hw.value_depth), _bits(hw.outputs))),
            ("residual", 1), ("residual_read", _bits(hw.residual_depth)), ("residual_write", _bits(hw.residual_depth)),
            ("parameter", _bits(hw.parameter_depth)), ("parameter_step", 1), ("reciprocal", 1),
            ("head", _bits(hw.heads)), ("layer", _bits(hw.layers)), ("score_end", 1), ("clamp", _bits(len(hw.clamps) + 1)),
            ("end", 1)]


def column_address_bits(hw):
    """Width of the address that runs through weight streams, keys and values."""
    return max(_bits(depth) for depth in (hw.key_depth, hw.value_depth, *(s.depth for s in hw.streams)))


def encode(fields, values):
    """Pack a dict of field values into one instruction word.

    Raises:
        ValueError: an unknown field or a value that does not fit.
    """
    word, shift = 0, 0
    unknown = set(values) - {name for name, _ in fields}
    if unknown:
        raise ValueError(f"unknown instruction fields {sorted(unknown)}")
    for name, bits in fields:
        value = int(values.get(name, 0))
        if not 0 <= value < 1 << bits:
            raise ValueError(f"instruction field {name} = {value} does not fit {bits} bits")
        word |= value << shift
        shift += bits
    return word


def word_bits(fields):
    """Width of an instruction."""
    return sum(bits for _, bits in fields)


def _bits(depth):
    return max(1, (depth - 1).bit_length())
