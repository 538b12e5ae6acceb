# SPDX-License-Identifier: BSD-2-Clause
"""Float trainings kept in a folder: found by the same code, options and data, and by no other."""

import pytest

from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop import reuse


@pytest.fixture
def taken(csv, frame, tmp_path):
    """Takes a training by a new process' eyes; returns what it got, and how often it was trained in all."""
    trained = []

    def take(**options):
        chosen = csv(frame, window=6, **options)
        found = reuse.FloatTrainings(tmp_path / "kept").take("float", chosen, load_dataset(chosen),
                                                             lambda: trained.append(1) or {"weights": [len(trained)]})
        return found, len(trained)
    return take


def test_another_process_finds_it(taken, tmp_path):
    assert taken() == taken() == ({"weights": [1]}, 1)
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_widths_share_it_other_options_and_data_do_not(taken):
    taken()
    assert taken(bits=8)[1] == 1 and taken(seed=5)[1] == 2 and taken(features=["b"])[1] == 3


def test_other_code_trains_anew(taken, monkeypatch):
    taken()
    monkeypatch.setattr(reuse, "_code", lambda: ("2.0", "other sources"))
    assert taken()[1] == 2


def test_a_broken_file_is_trained_anew(taken, tmp_path):
    taken()
    path, = (tmp_path / "kept").iterdir()
    path.write_bytes(path.read_bytes()[:9])
    assert taken() == ({"weights": [2]}, 2) and taken()[1] == 2
