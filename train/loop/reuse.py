# SPDX-License-Identifier: BSD-2-Clause
"""Float trainings that several runs have in common.

Runs that differ in their widths start from the same float networks, including the teachers, and have the same baselines.
"""

import copy
import functools
import hashlib
import os
import pickle
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

# Options that a float training does not depend on. Widths can change the raw counts of the data, which are part of the key.
LATER = {"bits", "bits_of", "qat_epochs", "qat_lr", "qat_weight_decay", "step_lr_factor", "distill", "teachers", "settle",
         "out", "neighbours"}


class FloatTrainings:
    """Results of float trainings, keyed by their options and data.

    Args:
        folder: where they are kept for later processes, made if needed; None keeps them in memory alone. Another version of
        this package's training or of PyTorch finds none of them.
    """

    def __init__(self, folder=None):
        self._results, self._folder = {}, folder and Path(folder)

    def take(self, kind, options, dataset, train):
        """A copy of what ``train()`` returned for the same options and data earlier; trains if there is none.

        Args:
            kind: "float" or the name of a baseline; options: TrainOptions; dataset: Dataset; train: callable without arguments.
        """
        key = (kind, _digest(dataset), options.model_dump_json(exclude=LATER))
        if key not in self._results:
            self._results[key] = self._kept(key, train) if self._folder else train()
        return copy.deepcopy(self._results[key])

    def _kept(self, key, train):
        """The result that an earlier process left, or one of now, which is left for later ones."""
        path = self._folder / f"{hashlib.sha256(repr((key, _code())).encode()).hexdigest()[:32]}.pickle"
        try:
            return pickle.loads(path.read_bytes())
        except (OSError, EOFError, pickle.UnpicklingError):
            result = train()
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
            pickle.dump(result, file)
        os.replace(file.name, path)
        return result


@functools.cache
def _code():
    """What trains: PyTorch's version and a hash of the sources of ``train``."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return version("torch"), digest.hexdigest()


def _digest(dataset):
    """Of everything in the data that a training sees."""
    digest = hashlib.sha256(str((dataset.raw.shape, list(dataset.raw_scale), list(dataset.raw_offset))).encode())
    for values in (dataset.raw, dataset.truth, dataset.train, dataset.validation):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
