# SPDX-License-Identifier: BSD-2-Clause
"""Softmax beside the array: maxima, weights from a table, division by their sum, digits."""
