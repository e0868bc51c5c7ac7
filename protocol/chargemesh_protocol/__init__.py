"""The chargemesh protocol without I/O: bytes in, values out; time and entropy are arguments."""
