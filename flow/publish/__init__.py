# SPDX-License-Identifier: BSD-2-Clause
"""The pages and tables of this repository, filled by `make`; not part of the command line."""
