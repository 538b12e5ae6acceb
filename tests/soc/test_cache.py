# SPDX-License-Identifier: BSD-2-Clause
"""Where the cache lies, and what is said where it cannot be written."""

from pathlib import Path

import pytest

from liteformer.soc.cache import cache_folder, default_cache

from ..refusal import refusal


def test_the_variable_names_it(monkeypatch, tmp_path):
    monkeypatch.setenv("LITEFORMER_CACHE", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("LITEFORMER_CACHE")
    assert default_cache() == Path.home() / ".cache" / "liteformer"


def test_folders_are_made(monkeypatch, tmp_path):
    monkeypatch.setenv("LITEFORMER_CACHE", str(tmp_path / "a b" / "\u00fc"))
    assert cache_folder("area") == tmp_path / "a b" / "\u00fc" / "area" and cache_folder("area").is_dir()
    assert cache_folder("x", root=tmp_path) == tmp_path / "x"


@pytest.mark.parametrize("place", ["/proc/liteformer", "file/below"])
def test_a_cache_that_cannot_be_written(monkeypatch, tmp_path, place):
    (tmp_path / "file").write_text("")
    path = tmp_path / place
    monkeypatch.setenv("LITEFORMER_CACHE", str(path))
    assert refusal(cache_folder, "area") == (f"the cache folder {path}/area cannot be written; set the environment variable "
                                             "LITEFORMER_CACHE to a folder that can")
