"""Every bound on what a stranger can send, with its unit in the name and its reason beside it.

`chargemesh status` shows this page; a part that needs another bound adds it here.
"""

from __future__ import annotations

# --- encoding -----------------------------------------------------------------------------------
MAX_DEPTH = 8  # containers inside containers; our deepest record (a listing's tariff) needs 6
MAX_RECORD_BYTES = 16 * 1024  # one COSE_Sign1; the largest kind is an access record with a note
MAX_MESSAGE_BYTES = 256 * 1024  # one request or response on a stream; the network process keeps it too
MAX_ADDRESSES = 8  # of one contact: two networks, two families of addresses, TCP and WebSocket
MAX_ADDRESS_CHARS = 256  # a DNS name has at most 253; ports and protocols beside it are short
MAX_PEER_ID_CHARS = 64  # of an Ed25519 key it has 52, older forms have 46; some room for others
MAX_NETWORK_ID_CHARS = 48  # it stands in every signature and topic, and is a name, not a text

# --- identity -----------------------------------------------------------------------------------
MAX_RECOVERY_KEYS = 4  # papers in different places; all of them stand in every bundle
MAX_BUNDLE_DELEGATIONS = 8  # devices of one person; with the genesis they take about 2.5 KB
MAX_DELEGATION_MS = 366 * 24 * 3600 * 1000  # a year: a lost device ends by itself
MAX_KNOWN_AUTHORS = 20_000  # bundles in memory, 2.6 to 8.5 KB each; the oldest unused go first

# --- time ---------------------------------------------------------------------------------------
CLOCK_TOLERANCE_MS = 120_000  # clocks may differ by 2 minutes either way
SLOT_MS = 15 * 60 * 1000  # one bit of a listing: plugs are booked by quarter hours, as clocks are read
LISTING_SLOTS = 14 * 24 * 4  # a fortnight in 168 bytes: farther ahead few people know when they will charge
MAX_LISTING_LIFE_MS = 24 * 3600 * 1000  # a day: what it says of free slots is no longer true then
RENEWAL_LIFE_MS = 2 * 3600 * 1000  # a host that is gone is shown no longer than that
RENEWAL_EVERY_MS = 3600 * 1000  # one of two may be lost, and the listing stays

# --- listing ------------------------------------------------------------------------------------
MAX_CONNECTORS = 8  # of one charger, which charges one car at a time; most have one or two
MAX_TARIFF_ELEMENTS = 16  # prices of one charger: by day, night, weekend and power, with room
MAX_TARIFF_PERIODS = 64  # changes of price in one quote: about four a day for a fortnight, in 9 KB
MAX_TEXT_CHARS = 80  # titles and the like: a line on a phone, or two
MAX_NOTE_CHARS = 2000  # access notes, messages, review texts
MAX_LIST_ITEMS = 32  # amenities, names and the like: more than a person reads

# --- calendar -----------------------------------------------------------------------------------
MAX_CALENDAR_DAYS = 400  # exceptions, and one-off openings, of one charger: holidays of ten years
MAX_POWER_SPANS = 56  # eight times a day with a power of their own, each weekday by itself
MAX_POWER_STEPS = 64  # in one quote, as many as of its prices: both change by the clock
MAX_BUSY_TIMES = 8192  # stretches imported for one charger: ten a day for two years, joined where they touch
MAX_ICS_BYTES = 8 * 1024 * 1024  # of a calendar file; ten years of a busy office have 3 MB
MAX_ICS_EVENTS = 50_000  # components in it; ten years of a busy office have about 30,000
MAX_ICS_OCCURRENCES = 50_000  # of all its events, repetitions counted, within the horizon
MAX_ICS_SECONDS = 30  # to fetch and read it; then its process is ended
MAX_ICS_REDIRECTS = 4  # a short link, a login page and a move; more is a loop

# --- discovery ----------------------------------------------------------------------------------
CARETAKERS = 8  # nodes nearest to a cell's key; so many must vanish within an hour to hide a listing
MAX_LISTING_BYTES = 8 * 1024  # in full dress about 5 KB, most have 1
MAX_BUNDLE_BYTES = 4 * 1024  # a genesis and 8 delegations have about 2.5 KB
MAX_RENEWAL_BYTES = 256  # one has 165 to 180, and comes every hour from every charger
MAX_QUERY_CELLS = 64  # in one search; a wider circle is covered by coarser cells
MAX_SEARCH_RADIUS_M = 100_000  # about 30 cells of resolution 4, each with caretakers of its own
MAX_FOUND_ITEMS = 64  # in one answer; the next page is asked for
MAX_FOUND_BYTES = 160 * 1024  # of one answer, well within a message
MAX_CELL_PLACES = 2048  # listings of one cell of the tree; beyond that it would split
MAX_CARETAKER_PLACES = 16_384  # of all cells: about 30 MB in the cache file, 8 MB in memory
UNPROVEN_SHARE = 4  # listings of authors with no completed pair share a quarter of the places
MAX_PLACES_OF_AUTHOR = 64  # at one caretaker: a person has a few chargers, a small firm some dozens
MAX_PLACES_OF_BLOCK = 128  # IPv4 /24 or IPv6 /48 of who stored them: a street behind one address
MAX_PLACES_OF_FORWARDER = 1024  # heard by gossip: counted for the neighbour who passed them on
MAX_LISTING_TOPICS = 64  # gossip topics that a node follows: each costs a mesh of six links
MAX_HEARD_WAITING = 256  # changes heard by gossip that wait for the cache; newer ones are dropped
MAX_LOCAL_PEERS = 32  # neighbours of the local network that listings are exchanged with

# --- booking ------------------------------------------------------------------------------------
MAX_RECORDS_A_SIDE = 2048  # of one booking, tickets included: a day at one a minute fits
MAX_INCLUDES = 32  # in one record, 32 bytes each; a driver's phone that was away catches up in a few
MAX_OPEN_BOOKINGS_OF_DRIVER = 64  # at one host, also of a driver it knows: four a day for a fortnight
MAX_MESSAGES_A_SIDE = 200  # texts of one booking; more than two people ever have to say about a plug
MAX_SEALED_BYTES = 12 * 1024  # an access record in full, sealed, must fit a record of the chain
MAX_CARRIED_BYTES = 12 * 1024  # a quote inside a change or an offer; one with 64 price periods has about 9 KB
MAX_CHANGES_A_SIDE = 64  # changes or offers of one booking: people agree sooner, and each is a whole quote
QUOTE_LIFE_MS = 15 * 60 * 1000  # time to read and decide; longer, and somebody else has the slot
MAX_PHOTOS = 4  # of one charger: street, gate, box, plug
MAX_PHOTO_BYTES = 48 * 1024  # of one, as JPEG: enough to know a gate again, and a message holds it
MAX_PHOTO_SIDE_PIXELS = 1280  # a phone's screen; decoded it has at most 5 MB
MAX_SEALED_PHOTO_BYTES = MAX_PHOTO_BYTES + 40  # with nonce and tag
MAX_PHOTO_TRIES = 8  # answers in a row without the photo asked for; then it is not asked for again
MAX_PHOTOS_GIVEN = 64  # sent to one driver for one access record: each four times, and more were lost
MAX_SERIES = 64  # weekly series of one person that go on
MAX_SERIES_EXCEPTIONS = 128  # skipped dates, and moved ones, of one series in a season
MAX_SERIES_AGREED = 256  # that a host takes without being asked again, by their own word each

# --- mailbox ------------------------------------------------------------------------------------
MAX_MAILBOXES = 2  # that one contact names: one may be away, and both stand in every listing
MAX_MAILBOX_ADDRESSES = 4  # of each: a listing has to carry them
MAX_PARCEL_BYTES = 64 * 1024  # the largest of the three sizes that sealed parcels have
MAX_PARCEL_LIFE_MS = 7 * 24 * 3600 * 1000  # a week's holiday; then the sender hears nothing and asks again
MAX_PARCELS_OF_RECIPIENT = 64  # held at one mailbox: as many open bookings as a host keeps of one driver
MAX_PARCEL_BYTES_OF_RECIPIENT = 2 * 1024 * 1024  # half of its places in the largest size
MAX_PARCELS_OF_BLOCK_FOR_RECIPIENT = 16  # of one depositing address block: a quarter of a recipient's places
MAX_PARCELS_OF_BLOCK = 256  # for all recipients together: four of them filled by one neighbourhood
MAX_PARCEL_BYTES_OF_BLOCK = 8 * 1024 * 1024  # half of those places in the largest size
MAX_PARCELS = 16_384  # of one volunteer, in all; the bytes are a setting of its own, 256 MB by default
MAX_COLLECTED_PARCELS = 32  # in one answer, and dropped by one request
MAX_COLLECTED_BYTES = 192 * 1024  # in one answer: three of the largest fit a message
MAX_COLLECT_ROUNDS = 16  # of one visit to a mailbox; whoever has more to give has its turn at the next
COLLECT_CHALLENGE_MS = 60_000  # how long a challenge may be answered
MAX_DEPOSITS_KEPT = 16  # proofs of one booking that the depositor keeps; the oldest that prove least go first

# --- trust --------------------------------------------------------------------------------------
MAX_ENTRY_BYTES = 1024  # one log entry; a completion, the largest, has about 520
MAX_REVIEW_CONTENT_BYTES = 4 * MAX_NOTE_CHARS + 192  # four bytes a character, and stars and salt
MAX_LOGS = 20_000  # signing keys whose logs are kept; who goes then: specs/06, G3a
MAX_NEW_LOGS_AT_ONCE = 1000  # begun by one address block, of authors whom our trust does not reach
NEW_LOG_EVERY_MS = 10_000  # one more of those: 360 an hour, since keys cost nothing
MAX_LOG_GAP = 256  # entries of one log that may wait for an earlier one; later ones come by catch-up
MAX_WAITING_ENTRIES = 20_000  # of all logs together: about 20 MB, and catch-up brings the rest
MAX_CURSORS = 1024  # in one catch-up message (75 bytes each); further logs have their turn in the next
MAX_CATCH_UP_ITEMS = 256  # entries in one catch-up message: each costs a signature or two to check
MAX_CATCH_UP_BYTES = 128 * 1024  # of entries and bundles in one message: half of what a stream carries
MAX_CATCH_UP_BUNDLES = 64  # bundles asked for or sent in one message
MAX_CATCH_UP_ROUNDS = 512  # of one session; a peer with more to say has its turn at the next meeting
CONFLICT_STRETCH = 64  # entries sent back from a disagreeing head, to find where a log forked
MAX_LOG_ENTRIES = 100_000  # of all logs, in memory (about 1.5 KB each); beyond it as with MAX_LOGS
MAX_NEWS_ITEMS = 16  # entries in one gossip message: a delivery costs about 7 ms whatever its size
MAX_NEWS_BYTES = 48 * 1024  # of one gossip message; the network process carries 64 KB
MAX_ASKED_BUNDLES = 32  # in one question; 128 KB of answer at most
MAX_OWN_WAITING = 4096  # drafts of own entries that wait for their batch
REVIEW_OPENS_AFTER_MS = 14 * 24 * 3600 * 1000  # after the receipt, even if the other side never committed

# --- notices ------------------------------------------------------------------------------------
MAX_NOTICES = 1000  # that wait for the person's webhook or command, a day at most; the oldest go first

# --- wallbox ------------------------------------------------------------------------------------
MAX_OCPP_MESSAGE_BYTES = 128 * 1024  # a StopTransaction with a day of transaction data fits
MAX_OCPP_JSON_DEPTH = 12  # OCPP 1.6 itself nests 5 deep; vendors add levels of their own
MAX_OCPP_MESSAGE_ID_CHARS = 255  # the standard says 36; boxes exceed it
MAX_OCPP_BAD_FRAMES = 50  # on one connection, then it is closed: a box that can't speak does not learn to
MAX_OCPP_MESSAGES_PER_SECOND = 50  # of one connection, then it is read more slowly: a backlog of days takes
MAX_OCPP_BURST_MESSAGES = 200  # minutes, nothing of it is lost, and the store (a sync each) keeps up
MAX_OCPP_CONNECTIONS = 256  # open sockets, handshakes included: a garage full of boxes fits
MAX_OCPP_CONNECTIONS_PER_ADDRESS = 64  # several boxes behind one address (a test, a tunnel) still fit
OCPP_HANDSHAKE_MS = 10_000  # a box over mobile data needs seconds; who needs more keeps a socket for nothing
OCPP_PING_MS = 30_000  # between pings, and how long an answer may take
MAX_OCPP_CONNECTORS = 64  # of one box, whose state is kept: the largest have a dozen
MAX_WALLBOX_REPORTS = 1000  # of one charger, waiting to be taken in; then its box waits with starts and ends
MAX_WALLBOX_TASKS = 32  # of one box at once: calls that follow from its messages; it asks for few
MAX_METER_VALUES = 500  # of one message; one of the largest accepted size holds about as many
MAX_SESSIONS_REMEMBERED = 16  # of one charger, to know a repetition by; it follows its original closely
MAX_TAG_CHARS = 20  # OCPP 1.6 idTag is CiString20Type; boxes refuse or cut longer ones
MAX_TAG_GRANTS = 32  # a charger has one booking at a time; the grants that end first go first
