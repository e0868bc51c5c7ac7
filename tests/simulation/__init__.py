"""The simulated network: whole stories, faults and crashes, each from one seed."""
