"""Tests of the stores: one contract for the real ones and those in memory, and what the real ones survive."""
