"""The conformance kit: drives any implementation of the protocol through the vectors of specs/vectors."""
