# SPDX-License-Identifier: BSD-2-Clause
"""The integer model in the forms of other runtimes, bit for bit: ONNX and portable C."""
