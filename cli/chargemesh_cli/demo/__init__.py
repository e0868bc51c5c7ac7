"""The demo: the whole story on one machine, between real nodes that are processes of their own."""
