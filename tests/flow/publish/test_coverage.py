# SPDX-License-Identifier: BSD-2-Clause
"""Coverage: every file below the limit has a reason, and a file without one is an error."""

import json

import pytest
import typer

from liteformer.flow.publish import coverage
from liteformer.flow.publish.repository import ROOT

REPORT = {"totals": {"percent_covered": 95.04}, "files": {
    name: {"summary": {"percent_covered": share}} for name, share in (("a.py", 89.94), ("b.py", 90.0), ("c.py", 12.5))}}


def test_every_file_below_the_limit_has_a_reason():
    found = json.loads(coverage.RESULT.read_text())
    assert coverage.unexplained(found) == [] and found["total"] > 90
    assert all((ROOT / name).is_file() for name in (*found["below"], *coverage.REASONS))


def test_a_file_without_a_reason_is_an_error(tmp_path, monkeypatch, capsys):
    report = tmp_path / "report.json"
    report.write_text(json.dumps(REPORT))
    monkeypatch.setattr(coverage, "RESULT", tmp_path / "coverage.json")
    for reasons, code in (({"a.py": "x"}, 1), ({"a.py": "x", "c.py": "y"}, 0)):
        monkeypatch.setattr(coverage, "REASONS", reasons)
        with pytest.raises(typer.Exit) as ended:
            coverage.main(report)
        assert ended.value.exit_code == code and ("c.py: 12.5 %, tested too little" in capsys.readouterr().out) == code
    found = json.loads((tmp_path / "coverage.json").read_text())
    assert found == {"total": 95.0, "files": 3, "below": {"c.py": 12.5, "a.py": 89.9}}
    assert "| `c.py` | 12.5 | y |" in coverage.page(found) and "b.py" not in coverage.page(found)
