# SPDX-License-Identifier: BSD-2-Clause
"""A device in Python: the golden model behind the methods of protocol.Client."""

import numpy as np

from liteformer.accel import golden
from liteformer.accel.core import IDENTIFIER
from liteformer.accel.decision import decide
from liteformer.soc.protocol import Info, Result


class GoldenClient:
    """See the module. ``fault`` is added to the first output; ``changes`` replaces fields of Info."""

    def __init__(self, model, fault=0, **changes):
        self.model, self.fault, self.changes, self.task = model, fault, changes, model.config.task
        self.reset()

    def info(self):
        config = self.model.config
        return Info(**{"identifier": IDENTIFIER, "core_version": 0, "model_id": self.model.id[:8], "window": config.window,
                       "features": config.features, "outputs": config.outputs, "clock": 50_000_000, "max_payload": 1024,
                       "task": config.task} | self.changes)

    def reset(self):
        self.rows, self.windows, self.outputs = [], [], []

    def infer(self, rows):
        config = self.model.config
        if len(rows) > 1:
            self.windows, self.outputs = [], []
        self.rows = [*self.rows, *np.asarray(rows).tolist()][-config.window:]
        self.windows.append(self.rows)
        self.outputs.append(golden.infer(self.model, np.array([self.rows]))[0])
        self.last = Result(self.outputs[-1] + self.fault * (np.arange(config.outputs) == 0),
                           decide(config, np.array(self.outputs), np.array(self.windows))[-1], 800, 1000)
        return self.last

    def result(self):
        return self.last
