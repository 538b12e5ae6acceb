# SPDX-License-Identifier: BSD-2-Clause
"""A plant's CSV to stream, and a device that answers with the golden model."""


import pytest

from liteformer.flow.stream import device as device_module
from liteformer.flow.stream.device import Device

from ..plant import write_plant
from .golden_client import GoldenClient


@pytest.fixture
def plant(tmp_path, monkeypatch):
    """The test runs in a folder with plant.csv; the frame in it."""
    monkeypatch.chdir(tmp_path)
    return write_plant()


@pytest.fixture
def offered(monkeypatch):
    """Callable(model, **of GoldenClient): a model file m.safetensors, and the device that --sim names."""
    def offer(model, other=None, link="simulation", **options):
        model.save("m.safetensors")
        client = GoldenClient(other or model, **options)
        monkeypatch.setattr(device_module, "_simulated", lambda *_: (Device(client, link, "the board"), lambda: None))
        return client
    return offer
