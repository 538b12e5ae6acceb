# SPDX-License-Identifier: BSD-2-Clause
"""The quantization-aware network, its export to the integer model, and where the two differ."""
