# SPDX-License-Identifier: BSD-2-Clause
"""The C header that describes the model's task and self-test to the firmware."""

import numpy as np

from liteformer.accel import golden, numerics
from liteformer.accel.compiler.loading import loader_words
from liteformer.accel.decision import TASKS

KNOWN_SEED = 1


def known_window(model):
    """A window of random samples over most of the input range: ``base + (level << shift)`` of each feature.

    Returns:
        ``(levels, bases, shifts)``: int64 ``(window, features)`` within 8 bits, ``(features,)`` and ``(features,)``.
    """
    config, multipliers = model.config, np.maximum(model["input.multiplier"].astype(np.int64), 1)
    levels = np.random.default_rng(KNOWN_SEED).integers(*model.input_range, (config.window, config.features), endpoint=True)
    limit  = 1 << numerics.RAW_BITS - 2
    bases  = -(model["input.offset"].astype(np.int64) << numerics.OFFSET_SHIFT) // multipliers
    # The largest power of two below one step of the input.
    shifts = [(max((1 << numerics.SHIFT) // int(m), 1)).bit_length() - 1 for m in multipliers]
    return levels, np.clip(bases, -limit, limit), np.minimum(shifts, numerics.RAW_BITS - 10)


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
                  f"#define LITEFORMER_ANOMALY_THRESHOLD {settings.threshold}u"]
    if compiled:
        levels, bases, shifts = known_window(compiled.model)
        outputs = golden.infer(compiled.model, bases + (levels << shifts)[None])[0]
        lines += [f"#define LITEFORMER_KNOWN_MODEL 0x{compiled.model.id[:8]}u",
                  f"#define LITEFORMER_KNOWN_LEVELS {_list(levels.ravel())}", f"#define LITEFORMER_KNOWN_BASES {_list(bases)}",
                  f"#define LITEFORMER_KNOWN_SHIFTS {_list(shifts)}", f"#define LITEFORMER_KNOWN_OUTPUTS {_list(outputs)}"]
        if compiled.hw.loadable:
            lines.append(f"#define LITEFORMER_MEMORIES {_list([len(parts) for parts in loader_words(compiled)])}")
    return "\n".join([*lines, "", "#endif", ""])


def _list(numbers):
    return "{" + ", ".join(map(str, numbers)) + "}"
