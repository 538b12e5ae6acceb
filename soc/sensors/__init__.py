# SPDX-License-Identifier: BSD-2-Clause
"""XADC and I2C thermometers: LiteX's cores on a board, and Verilog models of what they talk to in simulation."""
