"""The conformance kit's second half: connects to a running node over libp2p and checks what it does."""
