"""Finding chargers and being found: the services around the pure rules of `chargemesh_protocol.discovery`."""
