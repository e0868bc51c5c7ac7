"""Writes specs/vectors: `python -m tests.vectors`. Everything comes from fixed seeds and fixed instants."""
