"""Which cells a search asks, who keeps a cell, what is kept there, and how both speak: all without I/O."""
