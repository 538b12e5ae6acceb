# SPDX-License-Identifier: BSD-2-Clause
"""Devices, and windows streamed through them."""
