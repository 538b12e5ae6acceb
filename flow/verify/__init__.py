# SPDX-License-Identifier: BSD-2-Clause
"""Long checks of gateware, firmware and files, run by `make`; their figures fill docs/testplan.md."""
