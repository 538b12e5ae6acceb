# SPDX-License-Identifier: BSD-2-Clause
"""Output for hardware: a board's project, the stand-alone core, bitstreams, the tool that loads them."""
