"""Going to mailboxes: handing in what a peer can't be told now, and fetching what others left for us.

Whoever keeps a mailbox may lose, withhold, repeat or invent parcels: each of them is judged as if a stranger
had sent it, a visit has an end whatever is answered, and what goes wrong costs time only.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

from chargemesh_protocol.contact import Contact, Mailbox
from chargemesh_protocol.effects import Mail, MailCopy
from chargemesh_protocol.errors import PersonError, Refused
from chargemesh_protocol.events import MailCollected, UseMailboxes
from chargemesh_protocol.limits import MAX_COLLECT_ROUNDS
from chargemesh_protocol.mailbox import wire
from chargemesh_protocol.mailbox.sealing import parcel_hash

from ..errors import DeliveryError, NetworkError
from ..ports import Clock, Network
from ..runner import Runner

_log = logging.getLogger(__name__)

VISIT_EVERY_S = 180.0  # while nothing else happens: a reply waits half as long on average
NAP_S = 20.0
SLEPT_MS = 30_000  # the clock went on so much farther than a nap lasts: the machine slept
REQUEST_TIMEOUT_S = 8.0  # parcels of 192 KB over a slow line
OTHER_AFTER_VISITS = 480  # in vain, a day of them: then a node that chose by itself chooses another


async def hand_in(network: Network, mail: Mail) -> tuple[int, bytes]:
    """Which copy was taken, and the volunteer's proof; DeliveryError if nobody took any."""
    why = "nobody holds parcels for them"
    for number, copy in enumerate(mail.copies):
        try:
            return number, await _deposit(network, copy, mail.expires)
        except (NetworkError, Refused) as error:
            why = str(error)
    raise DeliveryError(f"not handed in at their mailbox: {why}")


async def ask_terms(network: Network, volunteer: Contact) -> wire.Terms:
    """What a volunteer says of its mailbox; NetworkError if it is away, Refused if it keeps none."""
    asked = wire.write(wire.AskTerms())
    answer = await network.request(volunteer, wire.PROTOCOL, asked, timeout=REQUEST_TIMEOUT_S)
    return wire.read_as(wire.Terms, answer)


class Visitor:
    """Visits our mailboxes once `ready`, every few minutes, and when the machine has slept."""

    def __init__(self, *, network: Network, clock: Clock, runner: Runner, ready: asyncio.Event) -> None:
        self._network = network
        self._clock = clock
        self._runner = runner
        self._ready = ready
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._in_vain = 0
        self.visited_at: dict[bytes, int] = {}  # when each mailbox (its signer) last answered
        self.counters: Counter[str] = Counter()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._keep_visiting(), name="mailboxes")
        self._task.add_done_callback(_ended)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def hurry(self) -> None:
        """There is a reason to look now."""
        self._due.set()

    async def choose(self) -> Contact:
        """Uses the mailbox of a connected peer that keeps one and has room. PersonError if there is none."""
        for peer in self._network.peers():
            try:
                terms = await ask_terms(self._network, peer)
            except (NetworkError, Refused):
                continue
            if terms.full or terms.contact.peer_id != peer.peer_id or not terms.contact.addresses:
                continue
            await self._runner.command(UseMailboxes(((terms.contact, terms.signer),), auto=True))
            self.hurry()
            return terms.contact
        raise PersonError(
            "no-mailbox",
            "None of the peers that this node is connected to keeps a mailbox with room.",
            "Ask somebody whose node is always on for `chargemesh mailbox link`, and use that.",
        )

    # --- inside ---------------------------------------------------------------------------------

    async def _keep_visiting(self) -> None:
        await self._ready.wait()
        while True:
            self._due.clear()
            await self._visit_all()
            await self._rest()

    async def _rest(self) -> None:
        """Until the next visit is due, somebody hurries, or the machine has slept."""
        for _ in range(round(VISIT_EVERY_S / NAP_S)):
            before = self._clock.now()
            try:
                async with asyncio.timeout(NAP_S):
                    await self._due.wait()
                return
            except TimeoutError:
                pass  # the nap is over
            if abs(self._clock.now() - before) > NAP_S * 1000 + SLEPT_MS:
                self.counters["woke"] += 1
                self._runner.woke()
                return

    async def _visit_all(self) -> None:
        mail, now = self._runner.engine.mail, self._clock.now()
        try:
            self._runner.engine.require_signing(now)
        except PersonError:
            return  # nothing could be answered: it stays where it is
        reached = 0
        for mailbox in mail.to_visit(now):
            try:
                await self._visit(mailbox)
            except (NetworkError, Refused) as error:
                self.counters["visit-failed"] += 1
                _log.info("a mailbox could not be visited: %s", error)
            else:
                self.visited_at[mailbox.signer] = self._clock.now()
                reached += mailbox in mail.in_use
        self._in_vain = 0 if reached or not mail.in_use else self._in_vain + 1
        if mail.auto and self._in_vain >= OTHER_AFTER_VISITS:
            await self._choose_another()

    async def _choose_another(self) -> None:
        self._in_vain = 0
        try:
            await self.choose()
        except PersonError as error:
            _log.warning("%s", error)

    async def _visit(self, mailbox: Mailbox) -> None:
        """Takes all there is, as far as one visit goes."""
        drop: list[bytes] = []
        seen: set[bytes] = set()
        for _ in range(MAX_COLLECT_ROUNDS):
            collected = await self._collect(mailbox, drop)
            drop, fresh = [], False
            for held in collected.parcels:
                parcel = parcel_hash(held.sealed)
                fresh |= parcel not in seen
                if parcel in seen or await self._take(mailbox, held):
                    drop.append(parcel)
                seen.add(parcel)
            if not fresh or not drop:
                return

    async def _collect(self, mailbox: Mailbox, drop: list[bytes]) -> wire.Collected:
        knock = wire.Knock(recipient=mailbox.recipient)
        challenge = wire.read_as(wire.Challenge, await self._ask(mailbox, knock)).challenge
        collect = wire.Collect(
            recipient=mailbox.recipient,
            challenge=challenge,
            signature=self._runner.engine.mail.sign_collect(mailbox, challenge, drop),
            drop=tuple(drop),
        )
        return wire.read_as(wire.Collected, await self._ask(mailbox, collect))

    async def _take(self, mailbox: Mailbox, held: wire.HeldParcel) -> bool:
        """Has the engine judge one parcel; whether the mailbox may forget it."""
        try:
            effects = await self._runner.submit(MailCollected(mailbox, held.sealed, held.at))
        except Refused as fault:
            self.counters[f"refused:{fault.code}"] += 1
            return True
        except PersonError as error:
            self.counters[f"waits:{error.code}"] += 1
            return False  # a full disk, say: it can be taken later
        self.counters["collected"] += 1
        for reply in effects:
            if isinstance(reply, Mail):
                await self._reply(reply)
        return True

    async def _reply(self, mail: Mail) -> None:
        """An answer that nothing is kept of: tried once, then the sender learns of it by its own tries."""
        try:
            await hand_in(self._network, mail)
        except DeliveryError as error:
            self.counters["reply-lost"] += 1
            _log.info("%s", error)

    async def _ask(self, mailbox: Mailbox, message: wire.Message) -> bytes:
        body = wire.write(message)
        return await self._network.request(mailbox.contact, wire.PROTOCOL, body, timeout=REQUEST_TIMEOUT_S)


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("a defect in this program", exc_info=error)


async def _deposit(network: Network, copy: MailCopy, expires: int) -> bytes:
    """The proof of one deposit."""
    deposit = wire.Deposit(
        recipient=copy.mailbox.recipient, sealed=copy.sealed, expires=expires, replaces=copy.replaces
    )
    to = copy.mailbox.contact
    answer = await network.request(to, wire.PROTOCOL, wire.write(deposit), timeout=REQUEST_TIMEOUT_S)
    return wire.read_as(wire.Taken, answer).proof
