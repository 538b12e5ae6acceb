# SPDX-License-Identifier: BSD-2-Clause
"""Training: data sets, float and quantization-aware networks, metrics, results on disk; needs PyTorch."""
