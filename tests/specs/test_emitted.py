"""All that our code sends is what the CDDL describes: a neighbourhood in which everything happens."""

from __future__ import annotations

from functools import partial

import pytest

from chargemesh_node.mailbox.visits import ask_terms
from chargemesh_node.sim.home import BERLIN, charger_settings
from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.records import CancelReason, ProblemKind
from chargemesh_protocol.booking.table import Reservation, Settlement
from chargemesh_protocol.discovery import wire as discovery
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import PauseCharger, VouchFor
from chargemesh_protocol.listing import BookingRules
from chargemesh_protocol.mailbox import wire as mailbox
from chargemesh_protocol.opening import CalendarRules
from chargemesh_protocol.opening_text import parse_power_by
from chargemesh_protocol.place import region_of
from chargemesh_protocol.policy import AnswerWithin, Otherwise, Policy
from chargemesh_protocol.record import KINDS
from chargemesh_protocol.tariff import PriceComponent, Restrictions, Tariff, TariffDimension, TariffElement
from chargemesh_protocol.terms import CancellationTier, Terms
from tests.protocol.write_specs import MESSAGES, shapes
from tests.simulation.stories import Deal

from .emitted import Emitted
from .schema import takes, why_not

SEED = 3
AT_MOST = 60  # bodies of one rule are enough to see what is in them
NIGHT = TariffElement(
    (PriceComponent(TariffDimension.ENERGY, 250_000), PriceComponent(TariffDimension.FLAT, 500_000)),
    Restrictions(start_time=22 * 60, end_time=6 * 60, weekdays=(1, 2, 3, 4, 5, 6, 7), min_power_w=0),
)
DAY = TariffElement((PriceComponent(TariffDimension.ENERGY, 450_000, 100),))
TARIFF = Tariff(currency="EUR", elements=(NIGHT, DAY), min_price=1_000_000, tax_bp=1_900, tax_included=False)
IN_TWO_HOURS = Policy(answer=AnswerWithin(minutes=120, otherwise=Otherwise.DECLINE))
TERMS = Terms(
    tiers=(CancellationTier(60, 10),), no_show_percent=50, no_show_after=15, host_failure_percent=20
)
LITTLE_POWER = CalendarRules(power=parse_power_by("00:00-24:00 3.7kW"))
ON_REQUEST = BookingRules(instant=False, min_minutes=15, max_minutes=1440, lead_minutes=0, min_trust=0)


async def everything(world: World, emitted: Emitted) -> None:
    alice, adam, bob, bea = await world.add_all("alice", "adam", "bob", "bea")
    await alice.offers(tariff=TARIFF, terms=TERMS)
    charger = await adam.offers(rules=ON_REQUEST, terms=TERMS, calendar=LITTLE_POWER, policy=IN_TWO_HOURS)
    await world.pass_time(seconds=20)

    deal = Deal(world, alice, bob)
    await deal.is_booked()
    await bob.writes(deal.id, "I am the grey car.")
    await deal.gets_address()
    await bob.reports(deal.id, ProblemKind.OTHER, "The lamp is broken.")
    await deal.begins_charging()
    await deal.charges()
    await deal.ends_charging()
    await deal.is_paid()
    await deal.is_reviewed(5, 4)
    await world.settles()
    emitted.unsealed(bob, deal.id)

    await world.pass_time(hours=1.2)  # listings are renewed every hour
    await asked_of_a_person(world, adam, bea)
    await otherwise(world, alice, adam, bob)
    await called_off(world, alice, bob)
    await left_in_a_mailbox(world, alice, bea, emitted)
    await strays(world, alice, bea)
    await bob.does(VouchFor(alice.author, True, region_of(charger_settings(charger, BERLIN).cell)))
    await adam.does(PauseCharger(charger, True))
    await world.settles()


async def asked_of_a_person(world: World, host: Person, driver: Person) -> None:
    """Nobody comes for one booking, and the next request is declined."""
    missed = await driver.books(host, starts_in_h=0.5, hours=0.5)
    await world.until(lambda: host.knows_booking(missed), 60, "the request")
    await host.accepts(missed)
    await world.until(
        lambda: host.sees(missed, lambda s: s.reservation is Reservation.NO_SHOW), 3 * 3600, "the no-show"
    )
    await world.until(
        lambda: driver.sees(missed, lambda s: s.receipt is not None), 600, "the bill for not coming"
    )
    await driver.pays(missed)
    await host.confirms(missed)
    await world.until(lambda: driver.sees(missed, lambda s: s.settlement is Settlement.PAID), 60, "payment")
    declined = await driver.books(host, starts_in_h=3)
    await world.until(lambda: host.knows_booking(declined), 60, "the request")
    await host.declines(declined)
    await world.settles()


async def otherwise(world: World, host: Person, asked: Person, driver: Person) -> None:
    """Other terms: a counter-offer that is taken, a longer booking, one too long, and a box without power."""
    countered = await driver.books(asked, starts_in_h=30)
    await world.until(lambda: asked.knows_booking(countered), 60, "the request")
    await asked.offers_terms(countered, start=asked.clock.now() + 40 * 3_600_000, text="Rather so.")
    await world.until(lambda: driver.sees(countered, lambda s: s.offer is not None), 60, "the offer")
    await driver.accepts(countered)
    await world.until(partial(_is_reserved, driver, countered), 60, "the acceptance")
    moved = await driver.books(host, starts_in_h=30)
    await world.until(partial(_is_reserved, driver, moved), 60, "the acceptance")
    longer = await driver.asks_terms(moved, longer_h=1)
    await driver.changes(longer)
    await world.until(lambda: driver.sees(moved, lambda s: len(s.in_force) == 2), 60, "the longer time")
    still_longer = await driver.asks_terms(moved, longer_h=1)
    await host.does(PauseCharger(still_longer.quote.body.charger, True))
    await driver.changes(still_longer)
    await world.until(lambda: driver.sees(moved, lambda s: s.refusal is not None), 60, "the refusal")
    await host.does(PauseCharger(still_longer.quote.body.charger, False))
    await host.says_fault(moved, ProblemKind.NO_POWER, "The street is dark.")
    await driver.cancels(moved, CancelReason.DRIVER_CANCELED)
    await driver.cancels(countered, CancelReason.DRIVER_CANCELED)
    await world.settles()


async def called_off(world: World, host: Person, driver: Person) -> None:
    for person, reason in ((driver, CancelReason.TRAFFIC), (host, CancelReason.SAFETY)):
        booking = await driver.books(host, starts_in_h=30)
        await world.until(partial(_is_reserved, driver, booking), 60, "the acceptance")
        await person.cancels(booking, reason)
        await world.settles()


def _is_reserved(person: Person, booking: bytes) -> bool:
    return person.sees(booking, lambda state: state.reservation is Reservation.RESERVED)


async def left_in_a_mailbox(world: World, host: Person, driver: Person, emitted: Emitted) -> None:
    """The host sleeps when the request comes, and the driver when it is answered."""
    volunteer = await world.add("volunteer", keeps_mailbox=True)
    await host.uses_mailbox(volunteer)
    await driver.uses_mailbox(volunteer)
    await world.pass_time(seconds=10)
    offer = await driver.gets_quote(host, starts_in_h=30)
    host.falls_asleep()
    booking = await driver.takes(offer)
    await world.pass_time(minutes=1)
    driver.falls_asleep()
    await host.wakes()
    await world.pass_time(minutes=1)
    await driver.wakes()
    await world.until(partial(_is_reserved, driver, booking), 60, "the acceptance")
    await world.settles()
    await driver.asks(ask_terms(driver.node.network, volunteer.node.network.contact))
    for person in (host, driver):
        emitted.opened(person)


async def strays(world: World, host: Person, other: Person) -> None:
    """Questions that are refused, and one for the bundle of somebody unknown."""
    with pytest.raises(PersonError):
        await other.gets_quote(host, starts_in_h=400)
    to = host.node.network.contact
    await other.asks(other.node.network.request(to, discovery.PROTOCOL, b"\xa1\x00\x06"))
    await other.asks(other.node.bundles.ask(to, [host.author]))
    volunteer = world.people["volunteer"].node.network.contact
    late = mailbox.write(mailbox.Deposit(recipient=bytes(32), sealed=bytes(4096), expires=1))
    await other.asks(other.node.network.request(volunteer, mailbox.PROTOCOL, late))


@pytest.fixture(scope="module")
def emitted() -> Emitted:
    found = Emitted()

    async def story() -> None:
        world = World(SEED)
        world.taps.append(found.heard)
        await everything(world, found)
        await world.end()

    run(story())
    return found


def test_every_kind_and_every_message_was_sent(emitted: Emitted) -> None:
    assert set(KINDS) - set(emitted.bodies) == set()
    assert set(MESSAGES) - set(emitted.bodies) == set()
    assert set(shapes()) - emitted.shapes == set()


@pytest.mark.parametrize("rule", ["cose-record", "bundle", *sorted(KINDS), *sorted(MESSAGES)])
def test_what_was_sent_is_what_the_schema_says(emitted: Emitted, rule: str) -> None:
    bodies = sorted(emitted.bodies[rule], key=len)
    some = [*bodies[:: max(1, len(bodies) // AT_MOST)], *bodies[-3:]]
    wrong = [f"{why_not(rule, body)}: {body.hex()[:400]}" for body in some if not takes(rule, body)]
    assert some and wrong == []
