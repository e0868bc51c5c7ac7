"""Two or more people with engines and little stores, whose messages a test carries (or loses) by itself.

    street = Street()
    alice, bob = street.host("alice"), street.driver("bob")
    booking = bob.books(alice)
    bob.tells(StartCharging(booking))

Everything is deterministic: each event gets a seed from a counter, and time moves only by `street.wait`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.rows import AT_REST, ID_BYTES, OF_BOOKINGS, BookingRows
from chargemesh_protocol.booking.rules import Standing
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.chargers import (
    DEFAULT_STRANGER_RULES,
    ChargerSettings,
    Home,
    WallboxSettings,
)
from chargemesh_protocol.charging.reports import Connected, Reading, SessionEnded, SessionStarted
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.effects import (
    SAVES,
    AddRecord,
    DropBooking,
    DropDocument,
    DropOutbox,
    Effect,
    HoldSlot,
    PutDocument,
    PutOutbox,
    ReleaseSlot,
    Reply,
    Result,
    Tell,
)
from chargemesh_protocol.engine import Engine, EngineState
from chargemesh_protocol.events import (
    Book,
    Event,
    MessageReceived,
    ParcelAnswered,
    PutCharger,
    TimerDue,
    WallboxSaid,
)
from chargemesh_protocol.identity import Directory, create_identity, public_key
from chargemesh_protocol.listing import (
    About,
    BookingRules,
    Connector,
    ConnectorFormat,
    ParkingType,
    PowerType,
)
from chargemesh_protocol.me import Me
from chargemesh_protocol.moment import Moment
from chargemesh_protocol.place import region_of
from chargemesh_protocol.schedule import always_open
from chargemesh_protocol.tariff import simple_tariff
from chargemesh_protocol.terms import CancellationTier, Terms
from chargemesh_protocol.trust.drafts import delay_of

NETWORK = "chargemesh-test-neighbours"
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 24 * 3_600_000
MORNING = 1_804_464_000_000  # a quarter hour in 2027
CHARGER = b"charger of alice"
EURO = 1_000_000
SECRETS = ("Secret Street 1", "the gate on the left", "4711", "+49 30 123456", "52519999", "13404999")
TERMS = Terms(
    tiers=(CancellationTier(60, 50),), no_show_percent=100, no_show_after=15, host_failure_percent=25
)


def charger(**changes: Any) -> ChargerSettings:
    """An 11 kW charger in Berlin at 0.40 EUR a kWh, booked at once by whoever asks."""
    fields: dict[str, Any] = {
        "charger": CHARGER,
        "home": Home(
            address=SECRETS[0],
            latitude=52_519_999,
            longitude=13_404_999,
            way=SECRETS[1],
            code=SECRETS[2],
            phone=SECRETS[3],
        ),
        "resolution": 7,
        "connectors": (
            Connector(
                type="IEC_62196_T2",
                format=ConnectorFormat.SOCKET,
                power_type=PowerType.AC_3_PHASE,
                max_power_w=11_000,
            ),
        ),
        "tariff": simple_tariff("EUR", per_kwh=EURO * 2 // 5),
        "hours": always_open("Europe/Berlin"),
        "rules": BookingRules(instant=True, min_minutes=15, max_minutes=720, lead_minutes=0, min_trust=0),
        "terms": TERMS,
        "about": About(
            title="Alice's",
            parking=ParkingType.ON_DRIVEWAY,
            access_method="OPEN",
            amenities=(),
            languages=("de",),
        ),
        "strangers": replace(DEFAULT_STRANGER_RULES, on_request=False),
        "access_lead_minutes": 120,
        "wallbox": WallboxSettings(driver="ocpp", password="", owner_tags=(), plug_and_charge=False),
        "paused": False,
        "payee_name": "Alice",
        "payee_account": "",
        "ticket_seconds": 60,
    }
    return ChargerSettings(**(fields | changes))


ON_REQUEST = replace(charger().rules, instant=False)


class Disk:
    """What a store holds, kept by applying saves."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[bytes, bytes]] = {}
        self.records: dict[bytes, dict[bytes, bytes]] = {}
        self.slots: dict[bytes, HoldSlot] = {}
        self.outbox: dict[tuple[str, bytes], PutOutbox] = {}

    def commit(self, effects: list[Effect]) -> None:
        for one in effects:
            match one:
                case PutDocument(collection, key, value):
                    self.documents.setdefault(collection, {})[key] = value
                case DropDocument(collection, key):
                    self.documents.get(collection, {}).pop(key, None)
                case AddRecord(booking, id_, raw):
                    self.records.setdefault(booking, {}).setdefault(id_, raw)
                case DropBooking(booking):
                    self.records.pop(booking, None)
                case HoldSlot():
                    self.slots[one.booking] = one
                case ReleaseSlot(booking):
                    self.slots.pop(booking, None)
                case PutOutbox(channel, key):
                    self.outbox[channel, key] = one
                case DropOutbox(channel, key):
                    self.outbox.pop((channel, key), None)

    def state(self) -> EngineState:
        """As a store does it: without the rows of bookings at rest."""
        resting = self.documents.get(AT_REST, {})
        documents = {
            name: {
                key: value
                for key, value in found.items()
                if name not in OF_BOOKINGS or key[:ID_BYTES] not in resting
            }
            for name, found in self.documents.items()
        }
        records = {booking: found for booking, found in self.records.items() if booking not in resting}
        return EngineState(documents, records, list(self.slots.values()))

    def booking(self, booking: bytes) -> BookingRows:
        documents = {
            name: {key: value for key, value in self.documents.get(name, {}).items() if key[:32] == booking}
            for name in OF_BOOKINGS
        }
        return BookingRows(documents, self.records.get(booking, {}))


class Person:
    """An identity with an engine and a disk. `effects` holds everything that was asked of the world."""

    def __init__(self, street: Street, name: str) -> None:
        self.street, self.name = street, name
        seed = sha256(name.encode()).digest()
        device = sha256(seed).digest()
        bundle = create_identity(
            root_seed=seed,
            recovery_key=public_key(sha256(device).digest()),
            device_key=public_key(device),
            network=NETWORK,
            now=MORNING - DAY,
            life_ms=300 * DAY,
        )
        self.me = Me(bundle.author, bundle.to_bytes(), NETWORK, device)
        self.contact = Contact(f"12D3Koo{name}", (f"/ip4/127.0.0.1/tcp/4001/{name}",))
        self.disk = Disk()
        self.known: set[bytes] = set()
        self.effects: list[Effect] = []
        self.seen: list[bytes] = []  # every body that left for somebody else
        self.after_event: Callable[[Person], None] = lambda _: None
        self.engine = self.rebuilt()

    @property
    def author(self) -> bytes:
        return self.me.author

    def rebuilt(self) -> Engine:
        """An engine made from the disk alone."""

        def opinion(author: bytes) -> Standing:
            return Standing(known=author in self.known, trust=0, unpaid=False)

        return Engine(
            self.me, Directory(NETWORK), self.disk.state(), self.contact, opinion, delay_of(NETWORK)
        )

    def restarts(self) -> None:
        self.engine = self.rebuilt()
        self.handles(TimerDue())

    # --- events -----------------------------------------------------------------------------------

    def handles(self, event: Event) -> list[Effect]:
        for booking in self.engine.wants(event, self.street.now):
            self.engine.load(booking, self.disk.booking(booking))
        effects = self.engine.handle(event, self.street.moment())
        self.disk.commit([one for one in effects if isinstance(one, SAVES)])
        self.effects += effects
        self.after_event(self)
        return effects

    def wakes(self, booking: bytes) -> None:
        """Loads a booking that is at rest, as a delivery does."""
        if booking in self.engine.ledger.resting:
            self.engine.load(booking, self.disk.booking(booking))

    def tells(self, command: Event) -> Any:
        """A command of the person; its result, after the news has gone to and fro."""
        effects = self.handles(command)
        self.street.settle()
        return next((one.value for one in effects if isinstance(one, Result)), None)

    def box(self, *reports: Any) -> None:
        for one in reports:
            self.handles(WallboxSaid(CHARGER, one))
        self.street.settle()

    def answers(self, body: bytes, block: str = "peer:somebody") -> bytes:
        effects = self.handles(MessageReceived("somebody", block, body))
        (reply,) = [one.body for one in effects if isinstance(one, Reply)]
        self.seen.append(reply)
        return reply

    # --- the driver's story -----------------------------------------------------------------------

    def asks(self, host: Person, start: int | None = None, minutes: int = 60, energy: int = 5000) -> Any:
        """The answer to a question for a price: QuoteGiven or Failed."""
        at = self.street.now if start is None else start
        ask = wire.AskQuote(charger=CHARGER, start=at, end=at + minutes * MINUTE, energy_wh=energy)
        return wire.read(host.answers(wire.write(ask)))

    def takes(self, host: Person, given: wire.QuoteGiven, wait_ms: int = 10 * MINUTE) -> bytes:
        """Sends the request and lets it be answered; the booking's id."""
        command = Book(
            quote=given.quote,
            host_bundle=given.bundle,
            to=host.contact,
            region=region_of(charger().cell),
            title="Alice's",
            zone="Europe/Berlin",
            wait_ms=wait_ms,
        )
        return bytes.fromhex(self.tells(command)["booking"])

    def books(self, host: Person, start: int | None = None, minutes: int = 60, energy: int = 5000) -> bytes:
        given = self.asks(host, start, minutes, energy)
        assert isinstance(given, wire.QuoteGiven), given
        return self.takes(host, given)

    def owes(self) -> list[bytes]:
        """Bookings about which something waits for the other side."""
        return [key for channel, key in self.disk.outbox if channel == "peer"]

    # --- looking ----------------------------------------------------------------------------------

    def booking(self, booking: bytes) -> Booking:
        """To look at, loaded or not."""
        found = self.engine.ledger.get(booking)
        return found or self.engine.ledger.rebuilt(booking, self.disk.booking(booking))

    def state(self, booking: bytes) -> BookingState:
        return self.booking(booking).state(self.street.now)

    def told(self, name: str) -> list[dict[str, Any]]:
        """The facts of every event of that name."""
        return [one.facts for one in self.effects if isinstance(one, Tell) and one.name == name]

    def asked(self, kind: type[Any]) -> list[Any]:
        """Every effect of one kind, oldest first."""
        return [one for one in self.effects if type(one) is kind]


class Street:
    """The people, the time, and the only wire between them."""

    def __init__(self, now: int = MORNING) -> None:
        self.now = now
        self.people: dict[str, Person] = {}
        self._seeds = 0

    def moment(self) -> Moment:
        self._seeds += 1
        return Moment(self.now, sha256(self._seeds.to_bytes(8, "big")).digest())

    def person(self, name: str) -> Person:
        found = Person(self, name)
        self.people[found.contact.peer_id] = found
        return found

    def host(self, name: str = "alice", **changes: Any) -> Person:
        """Somebody with a charger whose wallbox is there."""
        found = self.person(name)
        found.handles(PutCharger(charger(**changes)))
        found.handles(WallboxSaid(CHARGER, Connected()))
        return found

    def driver(self, name: str = "bob") -> Person:
        return self.person(name)

    def deliver(self, sender: Person, key: bytes) -> bool:
        """One exchange about one booking, both ways; False if nothing is owed."""
        sender.wakes(key)
        parcel = sender.engine.parcel(key, self.moment())
        if parcel is None:
            return False
        sender.seen.append(parcel.body)
        answer = self.people[parcel.to.peer_id].answers(parcel.body, f"peer:{sender.name}")
        sender.handles(ParcelAnswered(key, answer))
        return True

    def settle(self) -> None:
        """Until nobody has news for anybody: a request that waits for a person is owed, but brings none."""
        for _ in range(12):
            owed = [(one, key) for one in self.people.values() for key in one.owes()]
            before = [one.engine.progress(key) for one, key in owed]
            for sender, key in owed:
                self.deliver(sender, key)
            if before == [one.engine.progress(key) for one, key in owed]:
                return
        raise AssertionError("the two sides never come to rest")

    def wait(self, ms: int) -> None:
        """Time passes; everybody's timers fire when they are due, and news travels."""
        until = self.now + ms
        while True:
            armed = {
                one: at for one in self.people.values() if (at := one.engine.deadline(self.now)) is not None
            }
            step = max(self.now, min(armed.values(), default=until + 1))
            if step > until:
                self.now = until
                return
            self.now = step
            for one, at in armed.items():
                if at <= step:
                    one.handles(TimerDue())
                    after = one.engine.deadline(self.now)
                    assert after is None or after > self.now, "a timer that is due for ever"
            self.settle()


def charges(host: Person, tag: str, watt: int = 9000, minutes: int = 10, session: str = "s1") -> None:
    """A session on the host's wallbox, from plugging in to the end."""
    street, register = host.street, 100_000
    host.box(SessionStarted(session, tag, register, street.now))
    for _ in range(minutes):
        street.wait(MINUTE)
        register += watt // 60
        host.box(Reading(session, register, watt, street.now, "Sample.Periodic"))
    host.box(SessionEnded(session, register, street.now, "EVDisconnected"))
