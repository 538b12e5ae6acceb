# SPDX-License-Identifier: BSD-2-Clause
"""The command line and its parts, in rooms; each imports only those before it (tests/docs/test_rooms.py)."""
