"""Parse → one Emulator method → JSON."""
