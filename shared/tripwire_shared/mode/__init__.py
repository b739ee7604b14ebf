"""The traffic mode (kill switch): the row, its version, and how each API process follows it."""
