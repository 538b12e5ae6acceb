# SPDX-License-Identifier: BSD-2-Clause
"""The commands: options, tables, one file each."""
