"""Figures, each measured as its module says; `make bench` prints them."""
