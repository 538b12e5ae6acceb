# SPDX-License-Identifier: BSD-2-Clause
# Ibex begins 128 bytes behind its reset address, where LiteX's start code for it has nothing.
.section .boot, "ax"
.zero 128
j _start
