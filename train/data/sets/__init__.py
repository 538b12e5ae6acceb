# SPDX-License-Identifier: BSD-2-Clause
"""The data sets with a name, listed in ``train.data.registry``: built-in ones, and published ones in their owners' layout."""
