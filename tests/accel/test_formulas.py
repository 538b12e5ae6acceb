# SPDX-License-Identifier: BSD-2-Clause
"""Physical values to raw integers and back: the model's arithmetic, and the words for it."""

import numpy as np

from liteformer.accel.formulas import input_formulas, output_formulas
from liteformer.accel.model import QuantizedModel
from liteformer.accel.random_model import random_model
from liteformer.soc.model_header import _units


def far_model():
    """A model whose second feature, pressure, is counted from 997, and whose only output from 12."""
    model = random_model(np.random.default_rng(1), window=3, features=2, d_model=4, bits=4)
    config = model.config.model_copy(update={"feature_names": ["valve", "p */ (mbar)"], "target_names": ["load"], "raw_scale": [
        4.0, 2048.0], "raw_offset": [0.0, 997.0], "output_scale": [512.0], "output_offset": [12.0]})
    reader = {"words": {"valve": {"off": 0, "on": 1}}, "missing": {"p */ (mbar)": [-9999.0]}}
    return QuantizedModel(config, model.tensors, {"reader": reader})


def test_the_formulas_are_the_arithmetic():
    model = far_model()
    assert input_formulas(model) == [("valve", "round(value * 4); off = 0, on = 1"),
                                     ("p */ (mbar)", "round((value - 997) * 2048); missing: -9999")]
    assert output_formulas(model) == [("load", "output / 512 + 12")]
    raw = model.config.counts(np.array([[1.0, 997.5], [np.nan, np.nan], [0, 1e30]]))
    assert raw.tolist() == [[4, 1024], [0, 0], [0, (1 << 31) - 1]]
    assert model.config.physical(np.array([[512]])).tolist() == [[13]]


def test_offsets_are_part_of_the_file(tmp_path):
    model, plain = far_model(), random_model(np.random.default_rng(1), window=3, features=2, d_model=4, bits=4)
    model.save(tmp_path / "far.safetensors")
    assert QuantizedModel.load(tmp_path / "far.safetensors").config == model.config
    without = QuantizedModel(model.config.model_copy(update={"raw_offset": []}), model.tensors)
    assert len({model.id, without.id, plain.id}) == 3
    # An earlier version reads a model without offsets.
    plain.save(tmp_path / "plain.safetensors")
    assert b'"version":"1"' in (tmp_path / "plain.safetensors").read_bytes()
    assert b'"version":"2"' in (tmp_path / "far.safetensors").read_bytes()
    assert b"raw_offset" not in (tmp_path / "plain.safetensors").read_bytes()


def test_the_header_tells_them():
    """A name cannot end the comment."""
    lines = _units(far_model())
    assert " * 1 p * / (mbar): round((value - 997) * 2048); missing: -9999" in lines and " * 0 load: output / 512 + 12" in lines
    assert "#define LITEFORMER_RAW_OFFSETS {0.0, 997.0}" in lines and "#define LITEFORMER_OUTPUT_SCALES {512.0}" in lines
    assert "\n".join(lines).count("*/") == 1


def test_the_header_has_shifts_for_whole_numbers():
    """(number << shift) - origin is the sample; of other scales there are none."""
    lines, model = _units(far_model()), far_model()
    assert "#define LITEFORMER_RAW_SHIFTS {2, 11}" in lines and "#define LITEFORMER_RAW_ORIGINS {0, 2041856}" in lines
    assert "#define LITEFORMER_OUTPUT_SHIFTS {9}" in lines and "#define LITEFORMER_OUTPUT_ORIGINS {6144}" in lines
    assert model.config.counts(np.array([[0.0, 1001.0]]))[0, 1] == (1001 << 11) - 2041856
    odd = QuantizedModel(model.config.model_copy(update={"raw_scale": [4.0, 3.0]}), model.tensors)
    assert not [line for line in _units(odd) if "_RAW_SHIFTS" in line or "_RAW_ORIGINS" in line]
    assert "#define LITEFORMER_OUTPUT_SHIFTS {9}" in _units(odd)
