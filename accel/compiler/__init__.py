# SPDX-License-Identifier: BSD-2-Clause
"""From a model file to a build: hardware shape, memory layout, schedule and memory images."""

from dataclasses import dataclass, replace

from liteformer.accel.compiler.choose import HardwareOptions, choose_array
from liteformer.accel.compiler.images import memory_images, program_widths
from liteformer.accel.compiler.plan import plan
from liteformer.accel.hardware import Hardware
from liteformer.accel.model import QuantizedModel

__all__ = ["CompiledModel", "HardwareOptions", "compile_model"]


@dataclass(frozen=True)
class CompiledModel:
    """Everything the gateware generator needs.

    Attributes:
        model: the QuantizedModel; hw: Hardware; steps: list of scheduled Step; images: dict of memory contents;
        cycles: predicted clock cycles from start to done.
    """

    model: QuantizedModel
    hw: Hardware
    steps: list
    images: dict
    cycles: int

    @property
    def utilization(self):
        """Useful multiply-accumulates over lanes times cycles."""
        return self.model.config.macs / (self.hw.lanes * self.cycles)


def compile_model(model, options=None):
    """Compile a model for an array that the options name or the compiler chooses.

    Args:
        model: QuantizedModel; options: HardwareOptions.
    Raises:
        LiteFormerError: the options contradict the model, or nothing fits the device.
    """
    _, hw, layout = choose_array(model, options or HardwareOptions())
    steps, cycles = plan(model, hw, layout)
    hw = replace(hw, widths=program_widths(steps, hw, spare=hw.loadable))
    return CompiledModel(model, hw, steps, memory_images(model, hw, layout, steps), cycles)
