"""The packages of EXTENDING.md, taken from its text, installed and used."""
