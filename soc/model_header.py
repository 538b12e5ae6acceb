# SPDX-License-Identifier: BSD-2-Clause
"""The C header that describes the model's task and self-test to the firmware."""

from math import frexp

from liteformer.accel.compiler.loading import loader_words
from liteformer.accel.decision import TASKS
from liteformer.accel.formulas import input_formulas, output_formulas
from liteformer.soc.known_window import WINDOWS, known_answer, known_ranges


def model_header(compiled):
    """Text of ``generated/model.h``.

    Args:
        compiled: CompiledModel, or None for a core of unknown model, which is served as a forecast and not tested.
    """
    config = compiled and compiled.model.config
    task = config.task if compiled else "forecast"
    lines = ["/* The model in the core; generated with the SoC. */", "#ifndef LITEFORMER_MODEL_H", "#define LITEFORMER_MODEL_H",
             "", f"#define LITEFORMER_TASK {TASKS.index(task)} /* {task} */"]
    if task == "anomaly":
        settings = config.anomaly
        lines += [f"#define LITEFORMER_ANOMALY_FEATURES {_list(config.target_features)}",
                  f"#define LITEFORMER_ANOMALY_SHIFTS {_list(settings.shifts)}",
                  f"#define LITEFORMER_ANOMALY_GAINS {_list(settings.gains)}",
                  f"#define LITEFORMER_ANOMALY_SMOOTHING {settings.smoothing}",
                  f"#define LITEFORMER_ANOMALY_THRESHOLD {settings.threshold}u",
                  f"#define LITEFORMER_ANOMALY_CALIBRATION {settings.calibration}",
                  f"#define LITEFORMER_ANOMALY_LEVEL {settings.level}u"]
    if compiled:
        model = compiled.model
        lines.append(f"#define LITEFORMER_FEATURES {config.features}")
        lines += _units(model)
        lines += [f"#define LITEFORMER_KNOWN_MODEL 0x{model.id[:8]}u",
                  f"#define LITEFORMER_KNOWN_ROWS {config.window + WINDOWS - 1}",
                  f"#define LITEFORMER_KNOWN_LEVELS {(1 << config.bits['input']) - 1}",
                  f"#define LITEFORMER_KNOWN_RANGES {_list(known_ranges(model))}",
                  f"#define LITEFORMER_KNOWN_ANSWER 0x{known_answer(model):08x}u"]
        if compiled.hw.loadable:
            lines.append(f"#define LITEFORMER_MEMORIES {_list([len(parts) for parts in loader_words(compiled)])}")
    return "\n".join([*lines, "", "#endif", ""])


def _units(model):
    """How to make samples and read results: a comment, and the numbers in it."""
    config = model.config
    raw, result = config.raw_offset or [0.0] * config.features, config.output_offset or [0.0] * config.outputs
    lines = ["/* A sample, of values in the units of the training's data; saturate it to 32 bits:"]
    lines += [f" * {number} {plain(name)}: {plain(formula)}" for number, (name, formula) in enumerate(input_formulas(model))]
    outputs = output_formulas(model)
    if outputs:
        lines.append(" * A result:")
        lines += [f" * {number} {plain(name)}: {formula}" for number, (name, formula) in enumerate(outputs)]
    return [*lines, " */", *_counts("RAW", config.raw_scale, raw), *_counts("OUTPUT", config.output_scale, result),
            f"#define LITEFORMER_RAW_SCALES {_list(map(repr, config.raw_scale))}",
            f"#define LITEFORMER_RAW_OFFSETS {_list(map(repr, raw))}",
            f"#define LITEFORMER_OUTPUT_SCALES {_list(map(repr, config.output_scale))}",
            f"#define LITEFORMER_OUTPUT_OFFSETS {_list(map(repr, result))}"]


def _counts(kind, scales, offsets):
    """For whole numbers, without a multiplication: counts = (number << shift) - origin. Nothing for scales of another kind."""
    shifts = [frexp(scale) for scale in scales]
    if any(fraction != 0.5 for fraction, _ in shifts):
        return []
    origins = [(round(offset * scale) + (1 << 31)) % (1 << 32) - (1 << 31) for offset, scale in zip(offsets, scales)]
    return [f"#define LITEFORMER_{kind}_SHIFTS {_list(exponent - 1 for _, exponent in shifts)}",
            f"#define LITEFORMER_{kind}_ORIGINS {_list(origins)}"]


def plain(text):
    """Text that cannot end a comment, nor continue a line."""
    text = "".join(char if " " <= char <= "~" and char != "\\" else "?" for char in text)
    return text.replace("*/", "* /").replace("/*", "/ *")


def _list(numbers):
    return "{" + ", ".join(map(str, numbers)) + "}"
