# SPDX-License-Identifier: BSD-2-Clause
"""Lists that error sentences end in, as text."""

DEVICES = ("xc7s15, xc7s25, xc7s50, xc7a35t, "
           "lfe5u-12f, lfe5u-25f, lfe5u-45f, lfe5u-85f, gw2a-18, ice40up5k")
BOARDS = ("seeed_spartan_edge, elastic_node_v5, arty_a7, arty_s7, "
          "colorlight_i5, ulx3s, orangecrab, tang_nano_20k, icebreaker, sim")
