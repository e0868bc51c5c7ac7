"""Trust: logs that prove who completed what with whom, and a reputation each node computes for itself."""
