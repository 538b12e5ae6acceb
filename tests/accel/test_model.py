# SPDX-License-Identifier: BSD-2-Clause
"""The model file: round trip, identity, and one exact sentence for every way in which it can be wrong."""

import json
import re
from contextlib import suppress

import numpy as np
import pytest
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.numpy import save_file

from liteformer.accel import LiteFormerError, ModelConfig, QuantizedModel, golden, model
from liteformer.accel.random_model import random_model, uniform_bits

from ..refusal import refusal
from .common import altered, make_model

CONFIG = {"window": 4, "features": 2, "outputs": 1, "d_model": 4, "heads": 2, "ffn": 8, "bits": uniform_bits(1, 4),
          "raw_scale": [1.0, 1.0], "output_scale": [1.0]}


@pytest.fixture
def saved(tmp_path):
    """A saved model: (model, path)."""
    made = make_model(heads=2, layers=2)
    made.save(tmp_path / "model.safetensors")
    return made, tmp_path / "model.safetensors"


def rewrite(path, tensors=None, drop=(), **metadata):
    """Write the file again with other tensors or metadata, as another program would."""
    with safe_open(path, "np") as archive:
        kept = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118 (not a dict)
        header = {k: v for k, v in archive.metadata().items() if k not in drop}
    save_file(kept | (tensors or {}), path, header | metadata)


def test_round_trip(saved):
    made, path = saved
    read = QuantizedModel.load(path)
    assert read.config == made.config and read.id == made.id and read.provenance == made.provenance
    assert set(read.tensors) == set(made.tensors)
    for name, tensor in made.tensors.items():
        assert read.tensors[name].dtype == np.int32
        assert np.array_equal(read.tensors[name], tensor), name
    assert QuantizedModel.load(path.parent).id == made.id


def test_saving_twice_gives_the_same_id(saved):
    made, path = saved
    read = QuantizedModel.load(path)
    read.save(path)
    assert QuantizedModel.load(path).id == made.id


@pytest.mark.parametrize("name", sorted(make_model().tensors))
def test_id_depends_on_every_tensor(name):
    """One integer moved by one step, whichever tensor it is in, is another model."""
    made = make_model()
    tensor = made.tensors[name].copy()
    tensor.flat[-1] += -1 if tensor.flat[-1] > 0 else 1
    assert altered(made, **{name: tensor}).id != made.id


def test_id_depends_on_configuration_but_not_on_provenance():
    made = make_model()
    other = ModelConfig.model_validate(made.config.model_dump() | {"output_scale": [2.0]})
    assert QuantizedModel(other, dict(made.tensors)).id != made.id
    assert QuantizedModel(made.config, dict(made.tensors), {"seed": 9}).id == made.id


def test_missing_file(tmp_path):
    path = tmp_path / "none.safetensors"
    assert refusal(QuantizedModel.load, path) == f"no model at {path}; `liteformer train --out {tmp_path}` makes one"
    path = tmp_path / "model.safetensors"
    assert refusal(QuantizedModel.load, tmp_path) == f"no model at {path}; `liteformer train --out {tmp_path}` makes one"


@pytest.mark.parametrize("kept", [0, 4, 8, 100, -1])
def test_truncated_file(saved, kept):
    _, path = saved
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(LiteFormerError, match=rf"^{re.escape(str(path))} is not a readable model file \(.+\); "
                                              "train or copy it again$"):
        QuantizedModel.load(path)


def test_altered_byte(saved):
    _, path = saved
    data = bytearray(path.read_bytes())
    data[-4] ^= 1
    path.write_bytes(data)
    assert refusal(QuantizedModel.load, path) == (
        f"{path} was altered: its content does not match its id; train or copy it again")


def test_every_altered_byte_of_the_tensors_is_seen(saved):
    """Any byte of the tensor data, changed, is refused (one of the two sentences: out of range, or altered)."""
    _, path = saved
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    for position in np.random.default_rng(0).integers(start, len(data), 60):
        damaged = bytearray(data)
        damaged[position] ^= 1 << int(position) % 8
        path.write_bytes(damaged)
        with pytest.raises(LiteFormerError):
            QuantizedModel.load(path)
    path.write_bytes(data)
    QuantizedModel.load(path)


def test_every_altered_byte_of_the_header_is_survived(saved):
    """A damaged header is refused in a sentence, or the damage is in the provenance, which the model does not depend on."""
    made, path = saved
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    for position in np.random.default_rng(0).integers(0, start, 200):
        damaged = bytearray(data)
        damaged[position] ^= 1 << int(position) % 7
        path.write_bytes(damaged)
        with suppress(LiteFormerError):
            assert QuantizedModel.load(path).id == made.id


def test_softmax_table_without_dimensions():
    made = make_model()
    assert refusal(QuantizedModel, made.config, made.tensors | {"softmax.table": np.array(3, np.int32)}) == (
        "softmax.table has 1 entries; a power of two from 2 to 512 is needed")


def test_altered_configuration(saved):
    made, path = saved
    config = json.loads(made.config.model_dump_json()) | {"output_scale": [3.0]}
    rewrite(path, config=json.dumps(config))
    assert refusal(QuantizedModel.load, path) == (
        f"{path} was altered: its content does not match its id; train or copy it again")


def test_foreign_file(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"w": np.zeros(3, np.float32)}, path)
    assert refusal(QuantizedModel.load, path) == f"{path} is a safetensors file of another program, not a LiteFormer model"


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3", "F8_E5M2"])
def test_tensors_of_a_type_that_numpy_has_not(tmp_path, kind):
    path, size = tmp_path / "model.safetensors", 2 if kind == "BF16" else 1
    header = json.dumps({"w": {"dtype": kind, "shape": [1], "data_offsets": [0, size]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    # onnx brings a package that teaches NumPy some of these types: then it is the file of another program.
    with pytest.raises(LiteFormerError, match=rf"^{re.escape(str(path))} is (not a readable model file \(.+\); train or copy "
                                              "it again|a safetensors file of another program, not a LiteFormer model)$"):
        QuantizedModel.load(path)


def test_provenance_that_is_nested_too_deeply(saved):
    _, path = saved
    rewrite(path, provenance="[" * 100_000 + "]" * 100_000)
    assert "has a damaged header (" in refusal(QuantizedModel.load, path)


@pytest.mark.parametrize("version", ["5", "x", "", "\u00b2"])
def test_newer_format(saved, version):
    _, path = saved
    rewrite(path, version=version)
    assert refusal(QuantizedModel.load, path) == (
        f"{path} has format version {version}, this LiteFormer reads up to {model.FORMAT_VERSION}; update LiteFormer")


@pytest.mark.parametrize(("fields", "version"), [
    ({}, "1"), ({"raw_offset": [1.0, 2.0]}, "2"), ({"window": 8, "patch": 2, "stride": 2}, "3")])
def test_a_file_has_the_first_format_that_can_hold_it(tmp_path, fields, version):
    """An earlier version reads what it knows and refuses patches; their fields are in no other file."""
    base = make_model(**{name: fields[name] for name in fields if name != "raw_offset"})
    held = QuantizedModel(base.config.model_copy(update=fields), base.tensors)
    held.save(tmp_path / "m.safetensors")
    with safe_open(tmp_path / "m.safetensors", "np") as archive:
        metadata = archive.metadata()
    assert metadata["version"] == version and ("patch" in metadata["config"]) == (version == "3")
    assert QuantizedModel.load(tmp_path / "m.safetensors").config == held.config


def test_the_id_depends_on_the_patches():
    """Two cuts of a window whose tensors have the same shapes."""
    one, other = (make_model(window=window, patch=4, stride=stride) for window, stride in ((12, 4), (8, 2)))
    assert all(np.array_equal(one.tensors[name], other.tensors[name]) for name in one.tensors) and one.id != other.id


def test_damaged_header(saved):
    _, path = saved
    rewrite(path, drop=("config",))
    assert refusal(QuantizedModel.load, path) == f"{path} has a damaged header ('config'); train or copy it again"


def test_extra_tensor_in_the_file(saved):
    _, path = saved
    rewrite(path, tensors={"surplus": np.zeros(1, np.int32)})
    assert refusal(QuantizedModel.load, path) == "the model's tensors are not those of its configuration; differing: surplus"


def test_failed_save_leaves_nothing(tmp_path, monkeypatch):
    """The old file stays whole and no temporary file is left behind."""
    path = tmp_path / "model.safetensors"
    made = make_model()
    made.save(path)
    before = path.read_bytes()

    def half_written(tensors, filename, metadata):
        filename.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(model, "save_file", half_written)
    with pytest.raises(OSError, match="disk full"):
        make_model(seed=1).save(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("change", "message"), [
    ({"heads": 3}, "d_model 4 is not divisible by 3 heads"),
    ({"patch": 5}, "a patch of 5 rows is longer than the window of 4; choose a patch of at most 4"),
    ({"patch": 2, "stride": 3},
     "a stride of 3 leaves 1 of every 3 rows unused by patches of 2; choose a stride of at most 2"),
    ({"window": 8, "patch": 3, "stride": 3},
     "patches of 3 rows with a stride of 3 leave 2 of the 8 rows of a window unused; choose a window of 6 or 9"),
    ({"window": 2000, "patch": 2}, "a window of 2000 rows with a stride of 1 has 1999 tokens, more than 1024; choose a larger "
     "patch and stride or a smaller window"),
    ({"bits": uniform_bits(1, 4, {"hidden": 1})}, "hidden has 1 bits; 2 to 8 are possible"),
    ({"bits": uniform_bits(1, 4, {"head.weight": 9})}, "head.weight has 9 bits; 2 to 8 are possible"),
    ({"bits": {"input": 8}}, "bits must name exactly the model's tensors; differing: "),
    ({"skip": "persistence"}, "a persistence skip needs every target among the features"),
    ({"target_features": [2]}, "target_features names a feature that does not exist"),
    ({"raw_scale": [1.0]}, "raw_scale must have 2 values"),
    ({"output_scale": []}, "output_scale must have 1 values"),
    ({"output_scale": [0.0]}, "output_scale must be above zero and finite"),
    ({"output_scale": [-1.0]}, "output_scale must be above zero and finite"),
    ({"output_scale": [float("nan")]}, "output_scale must be above zero and finite"),
    ({"raw_scale": [1.0, float("inf")]}, "raw_scale must be above zero and finite"),
    ({"feature_names": ["a"]}, "feature_names must name all 2 features or none"),
    ({"feature_names": ["a", "b", "c"]}, "feature_names must name all 2 features or none"),
    ({"target_names": ["a", "b"]}, "target_names must name all 1 outputs or none"),
    ({"target_names": ["a"], "outputs": 2, "output_scale": [1.0, 1.0]}, "target_names must name all 2 outputs or none"),
    ({"target_features": [0, 1]}, "target_features must have 1 values or none"),
    ({"class_names": ["a"]}, "class_names must name every output of a classification, and nothing else"),
])
def test_configuration_errors(change, message):
    ModelConfig.model_validate(CONFIG)
    with pytest.raises(ValidationError) as caught:
        ModelConfig.model_validate(CONFIG | change)
    text = caught.value.errors()[0]["msg"]
    assert text == f"Value error, {message}" or (message.endswith(": ") and text.startswith(f"Value error, {message}"))


@pytest.mark.parametrize(("name", "value", "message"), [
    ("head.weight", np.zeros((1, 5), np.int32), "tensor head.weight is int32(1, 5), expected integers of shape (1, 4)"),
    ("head.weight", np.zeros((1, 4)), "tensor head.weight is float64(1, 4), expected integers of shape (1, 4)"),
    ("head.weight", np.full((1, 4), -8), "tensor head.weight has values from -8 to -8; its width allows -7 to 7"),
    ("position", np.full((4, 4), 8), "tensor position has values from 8 to 8; its width allows -8 to 7"),
    ("head.offset", np.full(1, 1 << 27),
     "tensor head.offset has values from 134217728 to 134217728; its width allows -134217728 to 134217727"),
    ("head.multiplier", np.full(1, 1 << 23),
     "tensor head.multiplier has values from 8388608 to 8388608; its width allows -8388608 to 8388607"),
    ("embed.residual", np.full(4, 1 << 15),
     "tensor embed.residual has values from 32768 to 32768; its width allows -32768 to 32767"),
    ("input.multiplier", np.full(2, 1 << 17), "input.multiplier must lie in 0 to 131071; choose a larger raw_scale"),
    ("input.multiplier", np.full(2, -1), "input.multiplier must lie in 0 to 131071; choose a larger raw_scale"),
    ("softmax.table", np.ones(3, np.int32), "softmax.table has 3 entries; a power of two from 2 to 512 is needed"),
    ("softmax.table", np.ones(1024, np.int32), "softmax.table has 1024 entries; a power of two from 2 to 512 is needed"),
    ("softmax.table", np.array([120, 0]), "softmax.table starts at 120; the array's digits reach 119"),
    ("softmax.table", np.array([5, 6]), "softmax.table must start above zero and never rise"),
    ("softmax.table", np.array([0, 0]), "softmax.table must start above zero and never rise"),
    ("layers.0.score.multiplier", np.zeros(1, np.int32), "layers.0.score.multiplier must be positive"),
    ("layers.0.context.multiplier", np.zeros(1, np.int32), "layers.0.context.multiplier must be positive"),
])
def test_tensor_errors(name, value, message):
    made = make_model()
    assert refusal(QuantizedModel, made.config, made.tensors | {name: value}) == message


def test_missing_tensor():
    made = make_model()
    tensors = {name: tensor for name, tensor in made.tensors.items() if name != "position"}
    assert refusal(QuantizedModel, made.config, tensors) == (
        "the model's tensors are not those of its configuration; differing: position")


@pytest.mark.parametrize(("shape", "macs"), [
    # Counted by hand: embed 4*4*2; per token query, project 2*16, expand, contract 2*64; key, value 4*2*16; attention 2*16.
    ({"readout": "mean"}, 4 * 8 + 4 * (2 * 16 + 2 * 64) + 4 * 2 * 16 + 4 * 2 * 16 + 4),
    ({"readout": "last"}, 4 * 8 + (2 * 16 + 2 * 64) + 4 * 2 * 16 + 2 * 16 + 4),
    ({"readout": "last", "window": 9, "patch": 3, "stride": 2}, 3 * 4 * 8 + (2 * 16 + 2 * 64) + 4 * 2 * 16 + 2 * 16 + 4),
])
def test_macs(shape, macs):
    assert make_model(**shape).config.macs == macs


def test_random_model_uses_its_ranges():
    """Activations of a random model are neither constant nor all saturated, at every width."""
    for bits in range(2, 9):
        made = random_model(np.random.default_rng(bits), window=6, features=3, d_model=8, bits=bits, readout="mean")
        trace = {}
        golden.infer(made, np.random.default_rng(1).integers(-1 << 15, 1 << 15, (20, 6, 3)), trace)
        for name, tensor in trace.items():
            assert len(np.unique(tensor)) > 2, (bits, name)
