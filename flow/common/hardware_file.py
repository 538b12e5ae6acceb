# SPDX-License-Identifier: BSD-2-Clause
"""``hardware.json`` next to a model: the choice of `liteformer explore --pick`, or the hardware of a board's project."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from liteformer.accel.devices import device as find_device
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.cache import write_atomically

HARDWARE = "hardware.json"
ARRAY = ("rows", "columns", "requantizers", "dsp_lanes", "pump")

Count = Annotated[int, Field(ge=1)]


class HardwareFile(BaseModel):
    """The hardware that a model was given; None leaves the choice to whoever reads it.

    ``model_id`` says which model that was; files from before it existed, and such as are meant for any model, omit it.
    ``cpu`` is a name of LiteX or "none"; the rest are fields of HardwareOptions.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model_id: str | None = None
    device: str | None = None
    cpu: str | None = None
    loadable: bool | None = None
    rows: Count | None = None
    columns: Count | None = None
    requantizers: Count | None = None
    dsp_lanes: Annotated[int, Field(ge=0)] | None = None
    pump: bool | None = None

    @field_validator("device")
    @classmethod
    def _known(cls, name):
        if name is not None:
            try:
                find_device(name)
            except LiteFormerError as error:
                raise ValueError(str(error)) from None
        return name

    @property
    def array(self):
        """The fields of ARRAY that are set, a dict."""
        return {name: value for name in ARRAY if (value := getattr(self, name)) is not None}

    def fits(self, model):
        """Whether it was written for this QuantizedModel, or, where it does not say, may have been."""
        if self.model_id is not None:
            return self.model_id == model.id
        rows = self.rows or model.config.tokens
        return model.config.tokens % rows == 0 and rows % (self.requantizers or 1) == 0

    def write(self, folder):
        """Write it into a folder, completely or not at all."""
        write_atomically(Path(folder) / HARDWARE, self.model_dump_json(exclude_none=True, indent=4) + "\n")


def read_hardware(folder):
    """The HardwareFile of a folder, an empty one where there is none.

    Raises:
        LiteFormerError: it is damaged.
    """
    file = Path(folder) / HARDWARE
    if not file.is_file():
        return HardwareFile()
    try:
        return HardwareFile.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        raise LiteFormerError(f"{file} is damaged: {_reason(first)}; correct or remove it, or write it again with `liteformer "
                              "explore --pick` or `liteformer build`") from None


def _reason(first):
    """Words for the first error of a validation."""
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    if first["type"] == "extra_forbidden":
        return f"it has the unknown key {name}"
    if not name:
        return "it is not a JSON object"
    return f"{name} is {first['input']!r} but should be {first['msg'].removeprefix('Input should be ')}"
