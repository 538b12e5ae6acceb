# SPDX-License-Identifier: BSD-2-Clause
"""The subject of a report: a trained model, a model file, or the project of a board."""

from dataclasses import dataclass, field
from pathlib import Path

from liteformer.accel.devices import DEFAULT_DEVICE
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.model import QuantizedModel
from liteformer.boards import check_board
from liteformer.flow.common.inputs import MODEL, hardware_of, is_run, load_model
from liteformer.flow.measure import hardware
from liteformer.flow.project.files import MANIFEST, read_manifest, read_report
from liteformer.flow.runs.evaluate import open_run


@dataclass(frozen=True)
class Source:
    """A model and its hardware.

    Attributes:
        path: as given; model: QuantizedModel; run: train.run.Run with the test set, None for a model without one.
        device: FPGA; board: name or None; clock_mhz: clock; cpu: of the SoC. overrides: fields of HardwareOptions.
        vivado: dict of Vivado's figures, None where it has not run.
    """

    path: str
    model: QuantizedModel
    run: object
    device: str
    board: str | None
    clock_mhz: float
    cpu: str
    overrides: dict = field(default_factory=dict)
    vivado: dict | None = None


def open_source(path, board=None, device=None, cpu=None, clock_hz=None):
    """The Source at a path.

    Args:
        path: directory of a training, model file, or project of `liteformer build`. board, device, cpu, clock_hz: instead of
            what the folder or the defaults (xc7s15, vexriscv, 100 MHz) say.
    Raises:
        LiteFormerError: there is nothing to report on, or a name is unknown.
    """
    manifest, vivado, model_path = {}, None, path
    if (Path(path) / MANIFEST).is_file():
        manifest = read_manifest(path)
        vivado, model_path = read_report(path), Path(path) / MODEL
        if not model_path.is_file():
            raise LiteFormerError(f"{path} holds no {MODEL}; write the project again with `liteformer build`")
    board = board or manifest.get("board")
    if board:
        check_board(board)
    cpu, overrides = hardware_of(model_path, cpu or manifest.get("cpu"), board, device=device)
    cpu = cpu or "vexriscv"
    hardware.check_cpu(cpu)
    run = open_run(path) if not manifest and is_run(path) else None
    return Source(str(path), run.model if run else load_model(model_path), run, overrides.get("device", DEFAULT_DEVICE), board,
                  (clock_hz or manifest.get("clock_hz") or hardware.CLOCK_MHZ * 1e6) / 1e6, cpu, overrides, vivado)
