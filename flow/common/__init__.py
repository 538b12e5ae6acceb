# SPDX-License-Identifier: BSD-2-Clause
"""Shared by every room: terminal, cache, checked inputs, Markdown, tools of this machine, worker processes."""
