# SPDX-License-Identifier: BSD-2-Clause
"""What is written for hardware: a board's project, the stand-alone core, bitstreams, the tool that loads them."""
