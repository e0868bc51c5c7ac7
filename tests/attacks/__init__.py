"""Attacks on the real code in the simulated world, and a table of what came of them (docs/attacks.md)."""
