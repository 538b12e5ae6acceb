# SPDX-License-Identifier: BSD-2-Clause
"""Tables as people have them: one reader for every command, with an option for every guess."""
