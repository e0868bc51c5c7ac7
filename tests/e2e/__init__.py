"""Whole nodes on real parts: libp2p processes, SQLite files, multicast, namespaces."""
