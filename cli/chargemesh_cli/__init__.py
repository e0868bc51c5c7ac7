"""The chargemesh command line: parses, calls the node's local API, prints. Never imports libp2p."""
