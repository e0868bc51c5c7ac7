"""What a node keeps on disk: `node.db`, which must never be lost, and `cache.db`, which may."""
