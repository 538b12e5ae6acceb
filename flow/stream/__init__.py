# SPDX-License-Identifier: BSD-2-Clause
"""Devices that answer, and windows streamed through them."""
