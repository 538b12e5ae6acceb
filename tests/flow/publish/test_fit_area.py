# SPDX-License-Identifier: BSD-2-Clause
"""The fit of the area formula: it finds known coefficients, keeps them positive, writes a module that can be read back."""

import numpy as np
import pytest

from liteformer.accel.compiler import coefficients
from liteformer.accel.compiler.estimate import area_terms
from liteformer.accel.random_model import random_model
from liteformer.flow.measure import hardware
from liteformer.flow.publish import fit_area


def rows(count=40, names=("a", "b", "c")):
    rng = np.random.default_rng(0)
    return [{name: float(rng.uniform(100, 2000)) for name in names} for _ in range(count)]


def test_known_coefficients_are_found(monkeypatch):
    terms, factors = rows(), {"a": 1.2, "b": 0.7, "c": 1.0}
    measured = [fit_area.predicted(row, factors) for row in terms]
    monkeypatch.setattr(fit_area, "RIDGE", 1e-6)
    assert fit_area.fit(terms, measured) == pytest.approx(factors, abs=0.002)
    # Negative control: other measurements, other coefficients.
    assert fit_area.fit(terms, [2 * value for value in measured])["a"] == pytest.approx(2.4, abs=0.002)


def test_no_coefficient_is_negative(monkeypatch):
    monkeypatch.setattr(fit_area, "RIDGE", 1e-6)
    terms = rows()
    found = fit_area.fit(terms, [row["a"] + row["b"] - 0.2 * row["c"] + 100 for row in terms])
    assert found["c"] == 0 and min(found.values()) >= 0


def test_what_is_not_seen_stays_as_it_is():
    terms = [row | {"c": 0.0} for row in rows()]
    assert fit_area.fit(terms, [row["a"] + row["b"] for row in terms])["c"] == 1


def test_the_written_module(tmp_path):
    """As it is read back; the one of this repository has the formula's terms and lines that a reader can take."""
    fitted = {name: {f"term{n}": n / 7 for n in range(30)} for name in ("lut", "lut_sites")}
    scope = {}
    exec(fit_area.source(fitted), scope)
    assert scope["COEFFICIENTS"] == fitted and max(map(len, fit_area.source(fitted).splitlines())) <= 128
    hw = hardware.compile_model(random_model(np.random.default_rng(1), window=4, features=3, d_model=8, bits=4)).hw
    assert all(set(factors) == set(area_terms(hw)) for factors in coefficients.COEFFICIENTS.values())
    assert fit_area.FILE.read_text() == fit_area.source(coefficients.COEFFICIENTS)


def test_error_table():
    shape = (12, 32, 4, "last", 12, 8, 4, 32, True)
    table = fit_area.error_table([shape], [{"a": 1010.0}], [{"lut_sites": 1000}], {"lut_sites": {"a": 1.0}})
    assert table.splitlines()[-1] == "| 12, 32, 4, last, loadable | 12 x 8 | 1,010 | 1,000 | +1.0 % |"
