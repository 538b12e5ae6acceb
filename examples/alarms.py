# SPDX-License-Identifier: BSD-2-Clause
"""An anomaly detector for the built-in process, a pumped water circuit with faults, and a picture of what it looks at."""

import argparse

from liteformer import AnomalyDetector

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=3, help="of each training phase")
parser.add_argument("--picture", default="build/alarms_explained.png")
arguments = parser.parse_args()

detector = AnomalyDetector(bits=4, d_model=16, epochs=arguments.epochs, out="build/alarms").fit()
print(f"F1 on the test set: {detector.metrics['f1']['integer']:.2f}, "
      f"three standard deviations {detector.metrics['f1']['three_sigma']:.2f}")
windows = detector.run.dataset.test[:64]
config = detector.model.config
physical = detector.run.test_raw[:64] / config.raw_scale + (config.raw_offset or 0)
print(f"{len(windows)} windows: {detector.predict(physical).sum()} alarms, scores up to "
      f"{detector.score_samples(physical).max()}, threshold {config.anomaly.threshold}")
detector.explain(physical).savefig(arguments.picture)
print(f"what moves the forecasts: {arguments.picture}")
