# SPDX-License-Identifier: BSD-2-Clause
"""LiteX's log is left out, unless it is asked for."""

import logging

import pytest

from liteformer.soc.quiet import quiet


@pytest.mark.parametrize("wanted, seen", [(None, []), ("0", []), ("1", ["memory map"])])
def test_the_log(monkeypatch, caplog, wanted, seen):
    monkeypatch.delenv("LITEFORMER_LOG", raising=False)
    if wanted is not None:
        monkeypatch.setenv("LITEFORMER_LOG", wanted)
    with caplog.at_level(logging.INFO), quiet():
        logging.getLogger("SoC").info("memory map")
    assert [record.message for record in caplog.records] == seen


def test_errors_are_seen_all_the_same(caplog):
    with quiet():
        logging.getLogger("SoC").error("no space")
    assert [record.message for record in caplog.records] == ["no space"]
