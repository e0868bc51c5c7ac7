"""A network of real nodes in one process, on a simulated clock, from one seed.

Everything above the ports is the code that runs at home; the loop, the network and the disk are models
that lose, delay, duplicate, cut and crash as the seed says.
"""
