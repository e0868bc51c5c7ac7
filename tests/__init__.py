"""The tests; folders mirror the source, and each is a package so that names never clash."""
