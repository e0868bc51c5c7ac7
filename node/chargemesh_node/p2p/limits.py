"""Every bound of the network process, with its unit in the name and its reason beside it."""

from __future__ import annotations

from dataclasses import dataclass

from chargemesh_protocol.limits import MAX_MESSAGE_BYTES

KIB = 1024
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class NetworkLimits:
    """What strangers may use of the network process. Tests and benchmarks pass their own."""

    # --- the process ----------------------------------------------------------------------------
    memory_headroom_bytes: int = 512 * MIB  # address space beyond that at start: a flood ends in a restart
    recycle_rss_bytes: int = 384 * MIB  # resident memory at which the bridge restarts it on purpose
    start_seconds: float = 60.0  # until its first word: on a busy Raspberry Pi the imports take half a minute
    alive_seconds: float = 1.0  # between its signs of life, which also tell its memory and counters
    silence_seconds: float = 30.0  # no sign of life for so long: it hangs, restart it

    # --- connections ----------------------------------------------------------------------------
    max_connections: int = 192  # each costs about 0.1 MB and, with gossip, 0.015 % of a core
    max_connections_per_peer: int = 2  # two nodes that dial each other at once keep both
    max_connections_per_block: int = 16  # one IPv4 /24 or IPv6 /48; on loopback a peer is its own block
    max_half_open: int = 128  # sockets that have not proved a key yet, all addresses together
    max_half_open_per_address: int = 32  # beyond it the oldest is closed: honest ones need 10 ms
    accepts_per_second: float = 20.0  # of one address, beyond the burst; a handshake costs about 2 ms
    accepts_burst: int = 100  # a street behind one address that comes back after a power cut
    upgrade_seconds: float = 4.0  # Noise and Yamux agreed, or the socket is closed
    dial_seconds: float = 3.0  # one peer, all its addresses: a person waits for it
    dial_stagger_seconds: float = 0.15  # head start of an address over the next one
    max_dials: int = 16  # at once: each costs a handshake's 5 ms and a socket
    max_dial_addresses: int = 8  # of one peer; a record can list many, and a stranger writes it
    address_seconds: int = 7200  # how long a told address is believed: as long as a listing's renewal
    redial_min_seconds: float = 1.0  # pause after a failed dial, doubled at each further one
    redial_max_seconds: float = 60.0  # a peer that comes back is met again within a minute
    ping_every_seconds: float = 10.0  # a connection that died without a word is noticed after two or three
    ping_answer_seconds: float = 15.0  # no answer by then: the connection is closed

    # --- streams --------------------------------------------------------------------------------
    max_streams: int = 1024  # inbound, of all peers: about five for each connection
    max_streams_per_peer: int = 32  # inbound: gossip, Kademlia, identify, ping, ours, and bursts
    streams_per_second: float = 30.0  # that one peer opens; each costs about 4 ms. Beyond it they wait
    streams_burst: int = 200  # who joins asks a few dozen things at once, and again after a restart
    frames_per_second: float = 1500.0  # Yamux frames of one connection, beyond which it is read more slowly
    frames_burst: int = 6000  # four seconds' worth: a catch-up comes in one go
    negotiate_seconds: float = 5.0  # multistream-select on a stream: two round trips
    max_multistream_bytes: int = 1 * KIB  # one protocol name; libp2p itself has no bound
    max_identify_items: int = 64  # addresses, and protocols, that a peer may name
    offences_burst: int = 300  # refused streams and broken messages that a peer may have at once
    offences_per_second: float = 5.0  # what an honest peer that is late or newer may go on with
    ban_seconds: float = 60.0  # for a peer past its offences: it saves work, and forgives
    max_bans_of_block: int = 4  # within about that time; beyond it newcomers of the block wait as long

    # --- requests -------------------------------------------------------------------------------
    max_message_bytes: int = MAX_MESSAGE_BYTES  # of every stream of ours, as chapter 09 has it
    requests_per_second: float = 200.0  # of one peer; beyond it we read slower
    requests_burst: int = 400  # two seconds' worth: bookings in bulk and catch-up come in one go
    max_requests_per_peer: int = 16  # being answered at once: one peer can't take all places
    max_requests: int = 192  # one for each connection that we hold, or 12 peers at their most
    answer_seconds: float = 20.0  # a handler that takes longer is given up
    frame_seconds: float = 10.0  # a started message must be complete: 256 KiB take 2 s at 1 Mbit/s
    idle_stream_seconds: float = 180.0  # a quiet request stream is closed: opening it again costs 4 ms
    max_one_off_streams: int = 8  # beside the long-lived stream, to one peer and protocol

    # --- Kademlia -------------------------------------------------------------------------------
    max_kad_message_bytes: int = 16 * KIB  # we only answer FIND_NODE: 20 peers have about 12 KiB
    kad_requests_per_second: float = 50.0  # of one peer; an answer costs about 1 ms
    kad_requests_burst: int = 200  # several look-ups of a node that joins
    join_jitter_seconds: float = 5.0  # before the look-up of ourselves: a street comes back after a power cut
    refresh_seconds: float = 300.0  # give or take half: look-ups that keep the routing table fresh

    # --- gossip ---------------------------------------------------------------------------------
    max_gossip_bytes: int = 64 * KIB  # one message: records of one change; bulk goes by streams
    max_gossip_rpc_bytes: int = 256 * KIB  # four of the largest messages in one go, as libp2p bundles them
    max_gossip_rpc_items: int = 256  # messages, topics, control entries in one RPC; topics of one peer
    max_gossip_ids: int = 256  # message ids in one IHAVE or IWANT: five seconds of a full mesh
    max_topic_chars: int = 128  # ours have at most 48 of the network id and about 40 more
    gossip_per_second: float = 50.0  # of one peer; a delivery costs about 7 ms of CPU
    gossip_burst: int = 200  # four seconds' worth: a caretaker that comes back hears many changes at once
    gossip_queue: int = 256  # outbound, to one peer; libp2p's 32 drops silently
    publish_gap_seconds: float = 0.01  # 10 ms apart 60 of 60 arrived, unpaced ones did not
    max_publishes_waiting: int = 256  # 2.5 s of them, 10 ms apart; further ones are not sent
    verdict_seconds: float = 2.0  # the node's answer whether a message is valid
    upkeep_seconds: float = 5.0  # comparing gossip streams with live connections

    # --- peers ----------------------------------------------------------------------------------
    max_remembered: int = 64  # contacts that a restarted process dials again
    reconnect_at_once: int = 4  # handshakes in parallel while joining


DEFAULT_LIMITS = NetworkLimits()
