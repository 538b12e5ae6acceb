"""Choice of the array: rows, columns, requantizers and lane mix for a model and a device."""

from dataclasses import dataclass

from liteformer.accel import numerics
from liteformer.accel.compiler.images import accumulator_range
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.hardware import Hardware, StreamShape

# Lanes that fit the smallest device beside the CPU, by lane width.
LANES = {2: 96, 3: 96, 4: 96, 5: 80, 6: 72, 7: 48, 8: 48}
DSPS = 20
MAX_REQUANTIZERS = 4


@dataclass(frozen=True)
class HardwareOptions:
    """What the user fixes; None leaves the choice to the compiler.

    Attributes:
        rows, columns, requantizers, dsp_lanes: as in Hardware.
    """

    rows: int | None = None
    columns: int | None = None
    requantizers: int | None = None
    dsp_lanes: int | None = None


@dataclass(frozen=True)
class Array:
    """Rows, columns, requantizers and DSP lanes of a build."""

    rows: int
    columns: int
    requantizers: int
    dsp_lanes: int


def _divisors(n):
    return [k for k in range(1, n + 1) if n % k == 0]


def choose_array(config, options):
    """Rows, columns, requantizers and DSP lanes.

    Args:
        config: ModelConfig; options: HardwareOptions.
    Raises:
        LiteFormerError: an option that cannot be.
    """
    lanes = LANES[max(config.row_bits, config.column_bits)]
    rows = options.rows or max(r for r in _divisors(config.window) if r <= max(12, min(_divisors(config.window)[1:] or [1])))
    if config.window % rows:
        raise LiteFormerError(f"--rows {rows} does not divide the window of {config.window}; "
                              f"possible: {', '.join(map(str, _divisors(config.window)))}")
    columns = options.columns or max(1, min(lanes // rows, config.d_model))
    if not 1 <= columns <= 64:
        raise LiteFormerError(f"--columns {columns} is outside 1 to 64")
    fitting = [p for p in _divisors(rows) if rows // p * columns <= config.d_model]
    requantizers = options.requantizers or min([p for p in fitting if p <= MAX_REQUANTIZERS]
                                               or [max(p for p in _divisors(rows) if p <= MAX_REQUANTIZERS)])
    if rows % requantizers:
        raise LiteFormerError(f"--requantizers {requantizers} does not divide the {rows} rows; "
                              f"possible: {', '.join(map(str, _divisors(rows)))}")
    spare = max(0, DSPS - requantizers) * 2
    dsp_lanes = spare if options.dsp_lanes is None else options.dsp_lanes
    return Array(rows, columns, requantizers, min(dsp_lanes, rows * columns // 2 * 2))


def make_hardware(model, array, layout):
    """Complete hardware shape for a model on an array."""
    config = model.config
    row_bits, column_bits = config.row_bits, config.column_bits
    accumulator_bits = numerics.signed_bits(*accumulator_range(model))

    def widest(suffixes):
        values = [tensor for name, tensor in model.tensors.items()
                  if name.endswith(suffixes) and not name.endswith("context.multiplier")]
        return max(numerics.signed_bits(v.min(), v.max()) for v in values)

    multiplier_bits = max(2, widest((".multiplier",)))
    numerator = max(int(model[f"layers.{layer}.context.multiplier"][0]) for layer in range(config.layers))
    table = model["softmax.table"]
    table_top = int(table[0])
    low, high = model.input_range
    digits = numerics.digit_count
    return Hardware(
        rows=array.rows, columns=array.columns, requantizers=array.requantizers, dsp_lanes=array.dsp_lanes,
        row_bits=row_bits, column_bits=column_bits, accumulator_bits=accumulator_bits, row_tiles=layout.row_tiles,
        features=config.features, outputs=config.outputs, heads=config.heads, layers=config.layers,
        input_bits=config.bits["input"], input_high=high, input_digits=digits(config.bits["input"], row_bits),
        probability_digits=max(1, digits(numerics.signed_bits(0, table_top), row_bits)),
        pool=config.readout == "mean", wide=config.readout == "last",
        streams=tuple(StreamShape(bits, groups, depth)
                      for (bits, groups), depth in zip(layout.stream_keys, layout.stream_depths)),
        row_depth=layout.row_depth, residual_depth=2 * layout.row_tiles * config.d_model,
        key_depth=layout.row_tiles * config.d_model, value_depth=config.heads * layout.head_value_words,
        parameter_depth=layout.parameter_depth, multiplier_bits=multiplier_bits,
        residual_bits=max(2, widest((".residual",))), offset_bits=max(2, widest((".offset",))),
        numerator_bits=max(numerator.bit_length(), table_top.bit_length()), table_length=len(table), table_top=table_top,
        clamps=tuple(sorted({bits for name, bits in config.bits.items() if name != "input" and not name.endswith(
            ("weight", "position", "probability"))})),
        skip_features=tuple(config.target_features) if config.skip == "persistence" else ())
