# SPDX-License-Identifier: BSD-2-Clause
"""Everything about one model on one page."""
