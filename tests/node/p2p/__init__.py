"""Tests of the network process, on real libp2p over 127.0.0.1."""
