"""Every bound on what a client of the API can ask, with its unit in the name and its reason beside it."""

from __future__ import annotations

MAX_BODY_BYTES = 64 * 1024  # the largest, a charger with every note full, has under 20 KB
MAX_PICTURE_BYTES = 32 * 1024 * 1024  # a photo as a phone took it: of 50 million pixels it has about 20 MB
MAX_HEADER_BYTES = 16 * 1024  # request line and headers together
REQUEST_SECONDS = 10.0  # for headers and body to arrive; an idle connection is closed after as long
MAX_CONNECTIONS = 64  # of one listener: people have a few programs, a phone opens six
MAX_STREAMS = 16  # clients that follow events or a search at one time
MAX_POLL_SECONDS = 60  # a long poll answers after so long, changed or not
MAX_LOG_LINES = 2000
MAX_LOG_BYTES = 512 * 1024  # read from the end of the log file
MAX_LISTED_BOOKINGS = 500  # of each: open ones, and past ones of one page, each of which costs about 4 ms
USUAL_PAST_BOOKINGS = 50
MAX_WAIT_MS = 14 * 24 * 3600 * 1000  # how long a host may be given to answer
MIN_PREFIX_CHARS = 6  # of an id; fewer would soon name several things
PING_SECONDS = 15.0  # a line on a silent event stream, so that both ends notice a dead connection
CLOSING_SECONDS = 2  # for answers under way when the node stops
