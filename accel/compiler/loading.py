# SPDX-License-Identifier: BSD-2-Clause
"""Another model for an existing build: the contents of its memories, if it fits."""

import hashlib
import zlib
from dataclasses import fields, replace

from liteformer.accel.compiler.choose import Array
from liteformer.accel.compiler.images import memory_images, program_widths
from liteformer.accel.compiler.layout import make_layout
from liteformer.accel.compiler.plan import plan
from liteformer.accel.compiler.shape import check_input, make_hardware
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.hardware import model_memories

# Resources that a model may use less of than the build has; everything else must be the same.
AT_MOST = ("accumulator_bits", "row_depth", "residual_depth", "key_depth", "value_depth", "parameter_depth",
           "residual_parameters", "multiplier_bits", "residual_bits", "offset_bits", "numerator_bits", "head_bits")
# Decided by the compiler or the device, not by the model.
IGNORED = ("styles", "widths", "streams", "loadable", "dsp_lanes", "pump", "dsp_block", "ram_shapes", "read_ports")


def replace_model(built, model):
    """Compile ``model`` for the memories of a loadable build.

    Args:
        built: CompiledModel with ``hw.loadable``; model: QuantizedModel of the same shape, or with a smaller d_model or ffn.
    Returns:
        CompiledModel with the build's Hardware; its images are as deep as the build's memories.
    Raises:
        LiteFormerError: the build cannot be loaded, or the model does not fit it (the message says what differs).
    """
    hw = built.hw
    if not hw.loadable:
        raise LiteFormerError("this build has a fixed model; build it with --loadable to replace the model at run time")
    if (model.config.task, model.config.anomaly) != (built.model.config.task, built.model.config.anomaly):
        raise LiteFormerError("the firmware of the build decides for another task or with other alarm settings; build again")
    if not (len(model["softmax.table"]) == hw.table_length and (model["softmax.table"] == built.images["table"]).all()):
        raise LiteFormerError("the model's softmax table is not the build's; train with the same --bits, or build again")
    for name, there in (("window", built.model.config.window), ("patch", hw.patch), ("stride", hw.stride)):
        if getattr(model.config, name) != there:
            raise LiteFormerError(_differs(name, there, getattr(model.config, name)))
    array  = Array(hw.rows, hw.columns, hw.requantizers, hw.dsp_lanes, hw.pump)
    layout = make_layout(model.config, rows=hw.rows, columns=hw.columns, requantizers=hw.requantizers,
                         position_base=hw.residual_depth // 2)
    needed = make_hardware(model, array, layout, 0)
    _check(needed, hw)
    check_input(model, hw.dsp_block)
    streams = [(stream.bits, stream.groups) for stream in hw.streams]
    if list(layout.stream_keys) != streams or any(depth > s.depth for depth, s in zip(layout.stream_depths, hw.streams)):
        raise LiteFormerError("the model's weights do not fit the build's memories, by their widths or by their number; "
                              "train with the same --bits and at most its d_model and ffn, or build again")
    depths = {name: depth for name, depth, _, _ in model_memories(hw, len(built.images["compute"]), len(built.images["drain"]))}
    steps, cycles = plan(model, hw, layout, depths["compute"])
    if len(steps) > depths["compute"] or any(bits > hw.widths[name] for name, bits in program_widths(steps, hw).items()):
        raise LiteFormerError("the model's program is longer than the build's; build again")
    images = memory_images(model, hw, layout, steps)
    for name, words in images.items():
        if name in depths:
            words += [0] * (depths[name] - len(words))
    for index, words in enumerate(images["streams"]):
        words += [0] * (depths[f"stream{index}"] - len(words))
    return replace(built, model=model, steps=steps, images=images, cycles=cycles)


def _check(needed, hw):
    for name in (field.name for field in fields(hw) if field.name not in IGNORED):
        wanted, there = getattr(needed, name), getattr(hw, name)
        if wanted != there and (name not in AT_MOST or wanted > there):
            raise LiteFormerError(_differs(name, there, wanted))


def _differs(name, there, wanted):
    return (f"the model does not fit the build: its {name} is {wanted}, the build has {there}; "
            "train one of the same shape, or build again")


def loader_words(compiled):
    """What a loader writes: for each memory, in its order, its words cut into 32-bit parts, lowest first.

    Returns:
        list of lists of int.
    """
    hw, images = compiled.hw, compiled.images
    contents = images | {f"stream{index}": words for index, words in enumerate(images["streams"])}
    memories = []
    for name, depth, width, first in model_memories(hw, len(images["compute"]), len(images["drain"])):
        words = contents[name][first:depth]
        mask  = (1 << width) - 1
        memories.append([(int(word) & mask) >> low & 0xFFFFFFFF for word in words for low in range(0, width, 32)])
    return memories


def checksum(compiled):
    """CRC-32 (that of zlib) of ``loader_words``, every part as four bytes, lowest first."""
    return zlib.crc32(b"".join(part.to_bytes(4, "little") for memory in loader_words(compiled) for part in memory))


def build_id(compiled):
    """32-bit id that differs between builds that cannot exchange models; 0 for a build whose model is fixed."""
    if not compiled.hw.loadable:
        return 0
    hw, config = compiled.hw, compiled.model.config
    patches = () if (hw.patch, hw.stride) == (1, 1) else (hw.patch, hw.stride)
    identity = repr((hw, compiled.images["table"], config.task, config.anomaly, *patches))
    return int(hashlib.sha256(identity.encode()).hexdigest()[:8], 16) or 1
