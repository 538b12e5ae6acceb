# SPDX-License-Identifier: BSD-2-Clause
"""The work behind train, evaluate, simulate, bench and demo, without their options and tables."""
