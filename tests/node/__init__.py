"""Tests of the node, one module each, in the layout of the source."""
