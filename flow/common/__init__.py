# SPDX-License-Identifier: BSD-2-Clause
"""What every room needs: terminal, cache, checked inputs, Markdown, tools of this machine, worker processes."""
