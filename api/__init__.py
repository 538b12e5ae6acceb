# SPDX-License-Identifier: BSD-2-Clause
"""The Python interface, in the manner of scikit-learn; the same work as behind the commands."""
