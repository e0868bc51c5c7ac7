"""kill -9 of a whole node at a drawn moment of a booking, and two people who go on all the same.

They do what people do whose program is gone: wait until it is back, look what became of it, and only
then say again what has not come about. What the node has confirmed is never said twice.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from chargemesh_cli.client import Api
from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.errors import PersonError

from .held import held_by, said_in_log
from .houses import House, Wallbox, eventually, story

T = TypeVar("T")
LONGEST_DELAY_MS = 400
OFF_SECONDS = 0.5
BACK_SECONDS = 60.0  # a loaded machine imports slowly
STEP_SECONDS = 45.0  # with the back-off of what could not be delivered
_QUARTER_HOUR_MS = 15 * 60_000
# What a person is told while a node is away, or was away a moment ago.
_AWAY = {"not-running", "node-gone", "unreachable", "timed-out"}
# A node that was started again knows neither what it found nor what it was offered.
_FORGOTTEN = {"no-such-listing", "no-such-quote"}


@dataclass(frozen=True)
class Point:
    """When who dies: so many ms after a step of the booking began."""

    victim: str
    step: str
    delay_ms: int


def points(seed: int, count: int) -> list[Point]:
    """The schedule of a seed."""
    drawn = random.Random(seed)
    return [draw(drawn, drawn.choice(("host", "driver"))) for _ in range(count)]


def draw(drawn: random.Random, victim: str) -> Point:
    return Point(victim, drawn.choice(list(Deal.STEPS)), drawn.randint(0, LONGEST_DELAY_MS))


class Blow(threading.Thread):
    """SIGKILL to both processes of a node after a delay, and a new start half a second later."""

    def __init__(self, house: House, delay_ms: int) -> None:
        super().__init__(name=f"kill -9 of {house.name}")
        self.house, self._delay_ms = house, delay_ms
        self.pids = (house.pid, int(house.api.get("status")["network_pid"]))

    def run(self) -> None:
        time.sleep(self._delay_ms / 1000)
        node, network = self.pids
        os.kill(node, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):  # it ends by itself when it sees that the node is gone
            os.kill(network, signal.SIGKILL)
        self.house.closes()
        time.sleep(OFF_SECONDS)
        self.house.starts()

    def is_over(self) -> None:
        """Returns when the node answers again."""
        self.join()
        eventually(self._answers, f"{self.house.name} is back", BACK_SECONDS)

    def _answers(self) -> bool:
        try:
            status = self.house.api.get("status")
        except PersonError as error:
            assert error.code in _AWAY, error
            return False
        return bool(status["pid"] == self.house.pid) and status["network_pid"] not in (None, *self.pids)


class Deal:
    """One booking from the search to both reviews, a step at a time; in one of the steps a node dies."""

    def __init__(self, host: House, driver: House, box: Wallbox) -> None:
        self.host, self.driver, self.box = host, driver, box
        self.id = ""
        self._listing = self._quote = self._step = ""
        self._before = {one["id"] for one in driver.api.get("bookings")["bookings"]}
        self._entries = {house.name: self._own_entries(house) for house in (host, driver)}
        self._confirmed: list[tuple[House, str]] = []  # whose node has confirmed a record of which kind
        self._told: dict[str, set[bytes]] = {host.name: set(), driver.name: set()}  # what others have of whom

    def happens(self, point: Point) -> None:
        victim = self.host if point.victim == "host" else self.driver
        blow = Blow(victim, point.delay_ms)
        try:
            self._goes_through_it(point.step, blow)
        finally:
            if blow.is_alive():
                blow.join()  # or the node that it starts would outlive the test
        for house in (self.host, self.driver):
            self._nothing_is_lost(house)

    def _goes_through_it(self, fatal: str, blow: Blow) -> None:
        for name, step in self.STEPS.items():
            self._step = name
            if name == fatal:
                blow.start()
            step(self)
            if self.id:
                self._who_told_what()
        blow.is_over()
        self.is_logged()  # again, if the blow came after it

    # --- the steps ------------------------------------------------------------------------------

    def is_found(self) -> None:
        self._listing = self._insists(self.driver, self._look)

    def is_quoted(self) -> None:
        self._quote = self._insists(self.driver, self._ask)

    def is_booked(self) -> None:
        self.id = self._insists(self.driver, self._take)

    def gets_address(self) -> None:
        self._until("the address", self.driver, lambda view: view["access"])
        self._until("the booking", self.host, lambda view: view["reservation"] == "RESERVED")

    def starts(self) -> None:
        self._does(self.driver, "start", "authorisation")

    def charges(self) -> None:
        for house in (self.driver, self.host):
            self._until("energy", house, lambda view: view["energy_wh"] and view["meter"]["countersigned"])

    def stops(self) -> None:
        self._does(self.driver, "stop", "stop")

    def gets_receipt(self) -> None:
        for house in (self.driver, self.host):
            self._until(
                "the agreed receipt",
                house,
                lambda view: view["receipt"] and view["receipt"]["signed_by_driver"],
            )

    def claims(self) -> None:
        self._does(self.driver, "claim", "claim")

    def confirms(self) -> None:
        self._until("the claim", self.host, lambda view: view["settlement"] == "CLAIMED")
        self._does(self.host, "confirm", "paid")

    def driver_reviews(self) -> None:
        self._does(self.driver, "review", "review-commitment", {"stars": 5, "text": "Easy to find."})

    def host_reviews(self) -> None:
        self._does(self.host, "review", "review-commitment", {"stars": 4, "text": "Friendly."})

    def is_logged(self) -> None:
        """Each has said in its log that it took place, and what it was like; nothing is owed any more."""
        for house in (self.driver, self.host):
            self._insists(house, partial(self._is_settled, house))

    STEPS: dict[str, Callable[[Deal], None]] = {  # noqa: RUF012
        "find": is_found,
        "quote": is_quoted,
        "book": is_booked,
        "address": gets_address,
        "start": starts,
        "charge": charges,
        "stop": stops,
        "receipt": gets_receipt,
        "claim": claims,
        "confirm": confirms,
        "driver's review": driver_reviews,
        "host's review": host_reviews,
        "log": is_logged,
    }

    # --- what a person does ---------------------------------------------------------------------

    def _look(self, api: Api) -> str:
        found = api.lines("find", lat=52.52, lon=13.405)
        return next((str(one["id"]) for one in found if one.get("title") == "Garage"), "")

    def _ask(self, api: Api) -> str:
        """A quote for a quarter of an hour from this minute on, after another search if need be."""
        self._listing = self._listing or self._look(api)
        if not self._listing:
            return ""
        start = api.get("status")["now"]["ms"] // 60_000 * 60_000
        asked = {"listing": self._listing, "start": start, "end": start + _QUARTER_HOUR_MS}
        return str(self._or_afresh(lambda: api.post("quotes", asked)["quote"]))

    def _take(self, api: Api) -> str:
        """Looks first whether it is booked already."""
        made = {one["id"] for one in api.get("bookings")["bookings"]} - self._before
        assert len(made) <= 1, made
        if made:
            return str(made.pop())
        self._quote = self._quote or self._ask(api)
        if not self._quote:
            return ""
        made_now = self._or_afresh(lambda: api.post("bookings", {"quote": self._quote})["id"])
        if made_now:
            self._confirmed.append((self.driver, "request"))
        return made_now

    def _or_afresh(self, ask: Callable[[], str]) -> str:
        try:
            return ask()
        except PersonError as error:
            if error.code not in _FORGOTTEN:
                raise
            self._listing = self._quote = ""
            return ""

    def _does(self, house: House, action: str, kind: str, body: Any = None) -> None:
        """Does it once it is offered, unless it has been done."""

        def act(api: Api) -> bool:
            if held_by(api, self.id).wrote(kind):
                return True
            if action not in api.get(f"bookings/{self.id}")["actions"]:
                return False
            api.post(f"bookings/{self.id}/{action}", body)
            self._confirmed.append((house, kind))
            return True

        self._insists(house, act)

    def _until(self, what: str, house: House, reached: Callable[[dict[str, Any]], Any]) -> None:
        shown: list[dict[str, Any]] = []

        def look(api: Api) -> bool:
            shown[:] = [api.get(f"bookings/{self.id}")]
            return bool(reached(shown[0]))

        try:
            self._insists(house, look)
        except AssertionError as error:
            raise AssertionError(f"{house.name} waits for {what}: {' '.join(map(story, shown))}") from error

    def _insists(self, house: House, what: Callable[[Api], T]) -> T:
        """Tries until it has worked, over whatever one is told while a node is away."""

        def once() -> T | None:
            try:
                return what(house.api)
            except PersonError as error:
                assert error.code in _AWAY, f"{house.name}: {error.code}: {error}"
                return None

        found = eventually(once, f"{house.name} gets done with '{self._step}'", STEP_SECONDS)
        assert found is not None
        return found

    def _is_settled(self, house: House, api: Api) -> bool:
        counts = api.get("status")["counts"]
        said = self._own_entries(house) - self._entries[house.name]
        assert said <= 2, f"{house.name} has {said} entries of one booking in its log"
        return said == 2 and counts["entries_waiting"] == counts["undelivered"] == 0

    def _own_entries(self, house: House) -> int:
        return int(house.api.get("status")["counts"]["own_entries"])

    # --- what must hold -------------------------------------------------------------------------

    def _who_told_what(self) -> None:
        """What one has of the other, the other had made durable before it told anybody."""
        for house, other in ((self.host, self.driver), (self.driver, self.host)):
            with contextlib.suppress(PersonError):  # one of them is away
                self._told[other.name] |= held_by(house.api, self.id).theirs

    def _nothing_is_lost(self, house: House) -> None:
        held = held_by(house.api, self.id)
        lost = [kind for one, kind in self._confirmed if one is house and not held.wrote(kind)]
        assert not lost, f"{house.name} lost what its node had confirmed: {lost}"
        untold = self._told[house.name] - held.ids
        assert not untold, f"{house.name} lost {len(untold)} records that the other side has of it"

    def is_whole(self) -> None:
        """Once all of it has happened: it happened once, and both sides say the same of it."""
        sides = {house: held_by(house.api, self.id) for house in (self.host, self.driver)}
        for held in sides.values():
            held.require_whole()
        host, driver = sides.values()
        assert host.ids == driver.ids
        as_of = self.host.api.get("status")["now"]["ms"]
        assert host.booking_set().state(as_of) == driver.booking_set().state(as_of)
        for house, held in sides.items():
            said = said_in_log(house.home, held.network, held.completion)
            assert sorted(said) == ["completion", "review"], f"{house.name} said {said}"
        views = [house.api.get(f"bookings/{self.id}") for house in sides]
        self._both_paid_and_reviewed(views)
        self._charged_once(views[0]["receipt"]["energy_wh"])

    def _both_paid_and_reviewed(self, views: list[dict[str, Any]]) -> None:
        told = [
            (view["reservation"], view["session"], view["settlement"], view["energy_wh"], view["cost"])
            for view in views
        ]
        assert told[0] == told[1] and told[0][:3] == ("FULFILLED", "COMPLETED", "PAID"), told
        assert [view["review"] for view in views] == [
            {"stars": 4, "theirs": True},
            {"stars": 5, "theirs": True},
        ]
        assert not any(view["faults"] or view["unconfirmed"] or view["undelivered"] for view in views)

    def _charged_once(self, billed_wh: int) -> None:
        events = self.box.events()
        tag = tag_of(bytes.fromhex(self.id))
        began = [place for place, one in enumerate(events) if one.get("tag") == tag]
        assert [events[place]["event"] for place in began] == ["session began"], "one session in the box"
        ended = next(one for one in events[began[0] :] if one["event"] == "session ended")
        counted_wh = ended["register_wh"] - events[began[0]]["register_wh"]
        assert billed_wh == counted_wh > 0, f"{billed_wh} Wh in the receipt, {counted_wh} in the box"


def _is_agreed(view: dict[str, Any]) -> bool:
    return bool(view["receipt"] and view["receipt"]["signed_by_driver"])
