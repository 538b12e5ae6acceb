# SPDX-License-Identifier: BSD-2-Clause
"""Error of lower widths of some tensors: one float network, quantized repeatedly."""

import torch

from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop import model as float_model
from liteformer.train.loop.run import CALIBRATION, Run, calibration_windows, limited_threads, training_data
from liteformer.train.loop.short import thinned
from liteformer.train.loop.trainer import Windows, fit
from liteformer.train.metrics.baselines import rmse
from liteformer.train.quant.qat import QuantTransformer


class Lowering:
    """A float network trained once, and its validation error at any widths.

    Args:
        options: TrainOptions; its widths are the largest ones. lowest: the smallest ones.
        progress: as of ``run.train``.
    Attributes:
        float_error: RMSE of the float network over the validation windows, physical units.
    Raises:
        LiteFormerError: bad data, or a loss that became NaN.
    """

    def __init__(self, options, lowest, progress=None):
        # With a persistence skip the raw scale depends on the widths; that of the narrowest fits all.
        narrow = {"bits": lowest, "bits_of": {}} if options.skip == "persistence" else {}
        self.options = options
        self.dataset = thinned(load_dataset(options.model_copy(update=narrow)))
        self.network = float_model.build(options, self.dataset)
        self._data, self._first, held = training_data(options, self.dataset)
        with limited_threads(options.threads):
            fit(self.network, self._data, self._first, held, options, options.float_epochs, "float", progress)
        self.float_error = self._error(self.network, None)

    def _error(self, network, quantized):
        held = self.dataset.validation
        name = "float" if quantized is None else "qat"
        run = Run(self.options, None, {}, None, None, None, None, "", network, quantized, self.dataset)
        return rmse(run.network_predictors()[name](held), self.dataset.truth[held])

    def error(self, bits_of, epochs=0):
        """RMSE over the validation windows, physical units.

        Args:
            bits_of: dict of classes or tensors -> bits, as in TrainOptions; epochs: of quantization-aware training, 0 for
                rounding alone.
        """
        options = self.options.model_copy(update={"bits_of": dict(bits_of), "distill": 0.0})
        with limited_threads(options.threads):
            quantized = QuantTransformer(self.network, options, self.dataset, calibration_windows(options, self.dataset))
            data = Windows(torch.as_tensor(quantized.quantize_input(self.dataset.raw), dtype=torch.float32), self.dataset)
            settled = int(epochs * options.settle)

            def settle(epoch):
                if epoch == settled:
                    quantized.settle(data.batch(starts)[0] for starts in self._first.split(CALIBRATION))

            if epochs:
                fit(quantized, data, self._first, torch.as_tensor(self.dataset.validation), options.quantized_recipe, epochs,
                    "qat", before_epoch=settle, after_step=quantized.constants.constrain, average=0.0)
            else:
                quantized.settle()  # The float network's own statistics: its weights fit them.
            return self._error(self.network, quantized.eval())
