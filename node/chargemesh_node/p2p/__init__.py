"""The network: py-libp2p in a process of its own, behind one bridge.

`bridge` and what it imports belong to the node (asyncio) and know neither trio nor libp2p; every
other module here runs in the network process (trio), started by `python -m chargemesh_node.p2p`.
"""
