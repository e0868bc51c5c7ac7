"""Every bound on what can arrive at the OCPP port, with its unit in the name and its reason beside it."""

from __future__ import annotations

MAX_MESSAGE_BYTES = 128 * 1024  # a StopTransaction with a day of transaction data fits
MAX_JSON_DEPTH = 12  # OCPP 1.6 itself nests 5 deep
MAX_MESSAGE_ID_CHARS = 255  # the standard says 36; boxes exceed it
MAX_BAD_FRAMES = 50  # on one connection, then it is closed: a box that can't speak better does not get better
MAX_MESSAGES_PER_SECOND = 200  # of one connection; beyond that it is read more slowly, nothing is lost
BURST_MESSAGES = 400
MAX_CONNECTIONS = 256  # open sockets, handshakes included
MAX_CONNECTIONS_PER_ADDRESS = 64  # several boxes behind one address (a test, a tunnel) still fit
HANDSHAKE_TIMEOUT_S = 10.0
PING_INTERVAL_S = 30.0
MAX_CONNECTORS = 64  # StatusNotification is kept for so many
