# SPDX-License-Identifier: BSD-2-Clause
"""From the array's drain registers to results: sums selected, operands of the requantizers, the pool over rows."""
