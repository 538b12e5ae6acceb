# SPDX-License-Identifier: BSD-2-Clause
"""Series and labelled recordings: built-in ones, files, splits, windows."""
