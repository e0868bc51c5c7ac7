"""`python -m chargemesh_node.p2p FD`: the network process. The bridge starts it; people don't."""

import sys

from .when_used import SELDOM_USED, load_when_used

load_when_used(*SELDOM_USED)

from .process import main  # noqa: E402 - it imports libp2p

if len(sys.argv) != 2 or not sys.argv[1].isdigit():
    sys.exit("This is the node's network process: `chargemesh run` starts it.")
main(int(sys.argv[1]))
