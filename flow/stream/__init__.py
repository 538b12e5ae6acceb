"""Devices that answer, and windows streamed through them."""
