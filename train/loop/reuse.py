# SPDX-License-Identifier: BSD-2-Clause
"""Float trainings that several runs of one process have in common.

Runs that differ in their widths start from the same float networks, including the teachers, and have the same MLP baseline.
"""

import copy
import hashlib

import numpy as np

# Options that a float training does not depend on. Widths can change the raw counts of the data, which are part of the key.
LATER = {"bits", "bits_of", "qat_epochs", "step_lr_factor", "distill", "teachers", "settle", "out", "neighbours"}


class FloatTrainings:
    """Results of float trainings, keyed by their options and data."""

    def __init__(self):
        self._results = {}

    def take(self, kind, options, dataset, train):
        """A copy of what ``train()`` returned for the same options and data earlier; trains if there is none.

        Args:
            kind: "float" or the name of a baseline; options: TrainOptions; dataset: Dataset; train: callable without arguments.
        """
        key = (kind, _digest(dataset), options.model_dump_json(exclude=LATER))
        if key not in self._results:
            self._results[key] = train()
        return copy.deepcopy(self._results[key])


def _digest(dataset):
    """Of everything in the data that a training sees."""
    digest = hashlib.sha256(str((dataset.raw.shape, list(dataset.raw_scale), list(dataset.raw_offset))).encode())
    for values in (dataset.raw, dataset.truth, dataset.train, dataset.validation):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
