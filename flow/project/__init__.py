"""What is written for hardware: a board's project, the stand-alone core, bitstreams, the tool that loads them."""
