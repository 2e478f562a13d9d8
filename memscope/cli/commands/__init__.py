"""The commands: one module each, exporting `COMMAND`, found by listing this folder."""
