"""Tests of the house: rules about the repository itself."""
