"""Every bound on what a stranger can send, with its unit in the name and its reason beside it.

`chargemesh status` shows this page; a part that needs another bound adds it here.
"""

from __future__ import annotations

# --- encoding -----------------------------------------------------------------------------------
MAX_DEPTH = 8  # containers inside containers; our deepest record (a listing's tariff) needs 6
MAX_RECORD_BYTES = 16 * 1024  # one COSE_Sign1; the largest kind is an access record with a note
MAX_MESSAGE_BYTES = 256 * 1024  # one request or response on a stream; the network process keeps it too
MAX_ADDRESSES = 8  # multiaddrs of one contact
MAX_ADDRESS_CHARS = 256
MAX_PEER_ID_CHARS = 64
MAX_NETWORK_ID_CHARS = 48

# --- identity -----------------------------------------------------------------------------------
MAX_RECOVERY_KEYS = 4
MAX_BUNDLE_DELEGATIONS = 8
MAX_DELEGATION_MS = 366 * 24 * 3600 * 1000  # a year: a lost device ends by itself
MAX_KNOWN_AUTHORS = 50_000  # bundles kept in memory (about 400 bytes each); the oldest unused go first

# --- time ---------------------------------------------------------------------------------------
CLOCK_TOLERANCE_MS = 120_000  # design: clocks may differ by 2 minutes either way
SLOT_MS = 15 * 60 * 1000
LISTING_SLOTS = 14 * 24 * 4
MAX_LISTING_LIFE_MS = 24 * 3600 * 1000
RENEWAL_LIFE_MS = 2 * 3600 * 1000
RENEWAL_EVERY_MS = 3600 * 1000

# --- listing ------------------------------------------------------------------------------------
MAX_CONNECTORS = 8
MAX_TARIFF_ELEMENTS = 16
MAX_TARIFF_PERIODS = 64
MAX_TEXT_CHARS = 80  # titles and the like
MAX_NOTE_CHARS = 2000  # access notes, messages, review texts
MAX_LIST_ITEMS = 32

# --- booking ------------------------------------------------------------------------------------
MAX_BOOKING_RECORDS = 4096  # tickets included: a day at one a minute on both sides fits
MAX_INCLUDES = 32
MAX_SEALED_BYTES = 12 * 1024
QUOTE_LIFE_MS = 15 * 60 * 1000
