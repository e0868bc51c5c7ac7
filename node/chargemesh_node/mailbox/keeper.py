"""A volunteer's mailbox: holds sealed parcels for whoever proves the key, and knows nothing else about them.

Whatever a stranger sends is bounded (`ParcelPlaces`), and what was promised by a signed deposit is on disk. A
challenge is a code over the asker and the time that only this run of the node can make: it needs no memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.errors import Refused, Severity
from chargemesh_protocol.limits import COLLECT_CHALLENGE_MS, MAX_PARCEL_LIFE_MS
from chargemesh_protocol.mailbox import wire
from chargemesh_protocol.mailbox.keys import mailbox_key, require_collect
from chargemesh_protocol.mailbox.places import HeldRow, ParcelPlaces
from chargemesh_protocol.mailbox.sealing import SIZES, parcel_hash
from chargemesh_protocol.record import sign

from ..discovery.allowance import Allowance
from ..errors import StoreError
from ..ports import Caller, Clock, Entropy, Network, ParcelStore

_log = logging.getLogger(__name__)

DEPOSITS_PER_SECOND, DEPOSITS_BURST = 2.0, 64  # of one block: a fsync each
QUESTIONS_PER_SECOND, QUESTIONS_BURST = 10.0, 128  # of one block: collecting, and asking for the terms
SWEEP_SECONDS = 300.0
_SIGNER = b"mesh-mailbox-sgn"  # exactly the 16 bytes that BLAKE2b has for it
_BLOCK = b"mesh-mailbox-blk"
_TIME_BYTES = 8


class MailboxKeeper:
    """Answers `/chargemesh/mailbox/1`. Construct before the network starts. `counters` is for `status`."""

    def __init__(
        self,
        *,
        network: Network,
        clock: Clock,
        entropy: Entropy,
        store: ParcelStore,
        secret: bytes,
        network_id: str,
        max_bytes: int,
    ) -> None:
        """`secret` (32 bytes, kept with the keys) gives the key that signs deposits."""
        self._network = network
        self._clock = clock
        self._store = store
        self._secret = secret
        self._network_id = network_id
        self._max_bytes = max_bytes
        self._signer = hashlib.blake2b(secret, digest_size=32, person=_SIGNER).digest()
        self._challenges = entropy.bytes(32)
        self._deposits = Allowance(clock, DEPOSITS_PER_SECOND, DEPOSITS_BURST)
        self._questions = Allowance(clock, QUESTIONS_PER_SECOND, QUESTIONS_BURST)
        self._writing = asyncio.Lock()  # a decision and what it writes are one step
        self._sweeper: asyncio.Task[None] | None = None
        self._open = False
        self.places = ParcelPlaces(max_bytes)
        self.counters: Counter[str] = Counter()
        network.serve(wire.PROTOCOL, self.answer)

    @property
    def signer(self) -> bytes:
        """The public key that signs what was handed in."""
        return mailbox_key(self._signer)

    @property
    def contact(self) -> Contact:
        return self._network.contact

    async def start(self) -> None:
        """Takes up what is held since the last run."""
        self.places = ParcelPlaces(self._max_bytes, await self._store.open())
        self._open = True
        self._sweeper = asyncio.create_task(self._sweep(), name="mailbox")

    async def close(self) -> None:
        self._open = False
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        async with self._writing:
            await self._store.close()

    async def answer(self, caller: Caller, body: bytes) -> bytes:
        """One request of a peer; never raises for what a peer sends."""
        try:
            return wire.write(await self._answer(caller, wire.read(body)))
        except Refused as fault:
            self.counters[f"refused:{fault.code}"] += 1
            return wire.write(wire.Failed(code=fault.code, message=fault.message[:300]))
        except StoreError as error:
            self.counters["unavailable"] += 1
            _log.error("the mailbox can't use its disk: %s", error)
            return wire.write(wire.Failed(code="unavailable", message="this mailbox can't answer now"))

    # --- inside ---------------------------------------------------------------------------------

    async def _answer(self, caller: Caller, message: wire.Message) -> wire.Message:
        allowance = self._deposits if isinstance(message, wire.Deposit) else self._questions
        if not self._open or not allowance.take(caller.block):
            raise Refused("unavailable", "not now; ask again in a moment", Severity.STALE)
        match message:
            case wire.AskTerms():
                return wire.Terms(signer=self.signer, full=self.places.full, contact=self.contact)
            case wire.Deposit():
                async with self._writing:
                    return await self._deposit(message, self._tag_of(caller.block))
            case wire.Knock(recipient=recipient):
                return wire.Challenge(challenge=self._challenge(caller, recipient, self._clock.now()))
            case wire.Collect():
                self._require_owner(caller, message)
                async with self._writing:
                    return await self._collect(message)
        raise Refused("unexpected", "not a request")

    async def _deposit(self, message: wire.Deposit, block: str) -> wire.Taken:
        now, parcel = self._clock.now(), parcel_hash(message.sealed)
        if len(message.sealed) not in SIZES:
            raise Refused("parcel", "a parcel has one of three sizes", Severity.FORGED)
        held = self.places.get(parcel)
        if held is not None and held.recipient != message.recipient:
            raise Refused("mismatch", "this parcel is held for another key", Severity.FORGED)
        if held is None:
            expires = min(message.expires, now + MAX_PARCEL_LIFE_MS)
            row = HeldRow(parcel, message.recipient, block, len(message.sealed), now, expires)
            old = self.places.judge(row, message.replaces, now)
            gone = None if old is None else old.hash
            await self._store.put(row, message.sealed, gone)
            if gone is not None:
                self.places.drop(gone)
            self.places.add(row)
            self.counters["taken"] += 1
            held = row
        said = wire.Deposited(issued=held.at, parcel=parcel, expires=held.expires)
        return wire.Taken(proof=sign(said, self._signer, self._network_id).raw)

    async def _collect(self, message: wire.Collect) -> wire.Collected:
        held = [self.places.get(one) for one in message.drop]
        gone = [one.hash for one in held if one is not None and one.recipient == message.recipient]
        if gone:
            await self._forget(gone)
            self.counters["dropped"] += len(gone)
        rows, more = self.places.of(message.recipient, self._clock.now())
        bodies = await self._store.get([row.hash for row in rows]) if rows else {}
        lost = [row.hash for row in rows if row.hash not in bodies]
        if lost:  # the file was damaged or cut: what isn't there needs no place
            await self._forget(lost)
        found = [wire.HeldParcel(sealed=bodies[row.hash], at=row.at) for row in rows if row.hash in bodies]
        self.counters["collected"] += len(found)
        return wire.Collected(parcels=tuple(found), more=more)

    async def _forget(self, parcels: list[bytes]) -> None:
        await self._store.drop(parcels)
        for parcel in parcels:
            self.places.drop(parcel)

    async def _sweep(self) -> None:
        while True:
            async with self._writing:
                ended = [row.hash for row in self.places.expired(self._clock.now())]
                try:
                    if ended:
                        await self._forget(ended)
                        self.counters["expired"] += len(ended)
                except StoreError as error:
                    _log.error("expired parcels could not be deleted yet: %s", error)
            await asyncio.sleep(SWEEP_SECONDS)

    # --- who may collect ------------------------------------------------------------------------

    def _challenge(self, caller: Caller, recipient: bytes, at: int) -> bytes:
        when = at.to_bytes(_TIME_BYTES, "big")
        said = when + recipient + caller.peer_id.encode()
        return when + hashlib.blake2b(said, digest_size=32, key=self._challenges).digest()

    def _require_owner(self, caller: Caller, message: wire.Collect) -> None:
        """Refused unless the challenge is ours, for this peer and key, of the last minute, and signed."""
        at = int.from_bytes(message.challenge[:_TIME_BYTES], "big")
        fresh = abs(self._clock.now() - at) <= COLLECT_CHALLENGE_MS
        if not fresh or self._challenge(caller, message.recipient, at) != message.challenge:
            raise Refused("challenge", "ask for a challenge first, and sign it at once", Severity.STALE)
        require_collect(
            message.recipient,
            message.signature,
            self._network_id,
            self._network.contact.peer_id,
            message.challenge,
            message.drop,
        )

    def _tag_of(self, block: str) -> str:
        """Stands for an address block in the quotas, so that the disk does not tell who deposits."""
        tag = hashlib.blake2b(block.encode(), digest_size=8, key=self._secret, person=_BLOCK)
        return tag.hexdigest()
