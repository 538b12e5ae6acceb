# SPDX-License-Identifier: BSD-2-Clause
"""Float network, options, the training itself, seeds, results on disk."""
