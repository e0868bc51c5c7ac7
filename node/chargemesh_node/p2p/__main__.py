"""`python -m chargemesh_node.p2p FD`: the network process. The bridge starts it; people don't."""

import sys

from .process import main

if len(sys.argv) != 2 or not sys.argv[1].isdigit():
    sys.exit("This is the node's network process: `chargemesh run` starts it.")
main(int(sys.argv[1]))
