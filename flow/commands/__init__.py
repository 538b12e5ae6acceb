"""The commands: options, tables, one file each."""
