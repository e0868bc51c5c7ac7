"""Every bound of our Kademlia look-ups, with its reason: who sends us replies is a stranger."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LookupLimits:
    """Times in seconds. The defaults are those measured with 25 nodes, 6 of them frozen."""

    # --- one look-up
    width: int = 20  # k: as many nearest must have answered to refresh our table; see width_for
    alpha: int = 10  # requests in flight: frozen nodes among those asked don't hold a look-up up
    lookup_s: float = 5.0  # a caller never waits longer; what has answered by then is the result
    settle_s: float = 0.5  # as many as wanted have answered: the others get so long ...
    settle_times: float = 4.0  # ... or so many times what the slowest took, on a slow network
    parallel_lookups: int = 6  # times alpha stays below max_links, so that none takes the other's links
    teller_credit: int = 6  # unanswered or failed inventions that one peer may cost us in a look-up
    max_candidates: int = 256  # the nearest of those told; farther ones can't be among the 20

    # --- one request
    request_s: float = 1.0  # an answer over a link that is there; a slower node is no help in a look-up
    dial_s: float = 2.5  # connection and handshake: a slow line, or a Raspberry Pi with both cores busy
    handshakes: int = 2  # Noise in Python is about 5 ms of CPU on each side: more at once only delays all
    handshake_slot_s: float = 0.3  # a handshake that takes longer waits for the peer, not for our CPU
    max_reply_bytes: int = 64 * 1024  # 20 peers with addresses and signed records are about 12 KiB
    max_closer_peers: int = 20  # k; one more than that is cut off: who sends it may be sending thousands
    max_told_addresses: int = 4  # of one peer in one reply: each may be a dial to a stranger's victim
    max_addresses: int = 8  # of one candidate, from all tellers; also of one peer in the result
    queue_per_link: int = 16  # requests that wait for one link; beyond it the peer counts as slow

    # --- between look-ups
    max_links: int = 64  # long-lived streams; the one unused for longest goes
    stuck_s: float = 15.0  # a link whose request is unanswered for so long is given up
    max_remembered: int = 1024  # failed peers, and likewise addresses where nobody answered
    probe_first_s: float = 5.0  # doubles after each probe that fails ...
    probe_last_s: float = 600.0  # ... and is forgotten after this one: told again, it is new again
    join_jitter_s: float = 5.0  # so that nodes that start together don't look up together
    first_refresh_s: float = 30.0  # a young network grows; doubles up to refresh_s
    refresh_s: float = 300.0  # give or take half: a look-up for ourselves and one for a random key, in turn
    tick_s: float = 1.0  # how often times that are over are looked for

    # --- answering others
    inbound_streams: int = 256  # each of our peers keeps one open for good
    inbound_streams_per_peer: int = 4  # one for good, another while it is replaced, and room for a restart
    max_request_bytes: int = 1024  # type and key are 40; py-libp2p adds its own record of about 400
    max_key_bytes: int = 64  # a PeerId of 38 bytes or a hash of 32; others' keys may be longer
    request_body_s: float = 10.0  # a request that was begun must be whole

    def width_for(self, count: int) -> int:
        """How many nearest must have answered where `count` are wanted: half as many more, who see whom the
        others missed. Each may be a connection to make: 40 ms of CPU on both sides together."""
        return max(count, min(self.width, count + count // 2))


DEFAULT_LOOKUP_LIMITS = LookupLimits()
