"""Each way in which a real wallbox misbehaves, by the virtual one over real WebSockets."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import pytest

from chargemesh_node.wallbox.errors import WallboxError
from chargemesh_node.wallbox.faults import Faults
from chargemesh_protocol.charging.reports import (
    Disconnected,
    Reading,
    SessionEnded,
    SessionStarted,
    UnknownTag,
)

from .house import DRIVER, FAST, HOUR, OWNER, SPEED, House, house

# At 600 times the speed, 11 kW give 1,833 Wh a second: a session of a few tenths gives some hundreds.
LEAST_WH = 50


@pytest.mark.asyncio
async def test_vanishes_in_mid_session_and_comes_back() -> None:
    async with house() as home:
        started = await home.driver_charges()
        before = len(home.of(Reading))
        home.box.vanish(0.6)
        await home.until(lambda: Disconnected() in home.reports)
        assert home.driver.status.session == started.session, "the session goes on"
        await home.until(lambda: home.driver.status.connected and len(home.of(Reading)) > before + 8)
        assert home.box.boots == 1, "it came back without a boot"
        buffered = home.of(Reading)[before : before + 8]
        assert len({reading.at for reading in buffered}) == 8, "buffered readings keep their own times"
        ended = await home.driver_stops(started.session)
        assert ended.register_wh == home.box.register_wh
        assert len(home.of(SessionStarted)) == len(home.of(SessionEnded)) == 1


@pytest.mark.asyncio
async def test_vanishes_by_itself() -> None:
    async with house(faults=Faults(vanish_after_s=0.1, vanish_for_s=0.1)) as home:
        await home.driver_charges(readings=1)
        await home.until(lambda: Disconnected() in home.reports)
        await home.until(lambda: home.driver.status.connected)


@pytest.mark.asyncio
async def test_the_node_restarts_in_mid_session_and_keeps_the_transaction() -> None:
    async with house() as home:
        started = await home.driver_charges()
        await home.driver.close()
        home.reports.clear()
        home.driver = home.new_driver()
        await home.driver.start(home.reports.append)
        assert home.reports[0] == started, "what a crash may have kept from the node is told again"
        assert home.driver.status.session == started.session
        await home.until(lambda: home.driver.status.connected and len(home.of(Reading)) > 3)
        assert (await home.driver_stops(started.session)).session == started.session


@pytest.mark.asyncio
async def test_stops_late() -> None:
    async with house(faults=Faults(stop_late_s=0.3)) as home:
        started = await home.driver_charges()
        asked_at = home.clock.now()
        ended = await home.driver_stops(started.session)
        assert ended.at >= asked_at + 300
        assert any(reading.at > asked_at + 100 for reading in home.of(Reading)), "it charged on, and we know"


@pytest.mark.asyncio
async def test_readings_and_stop_with_a_dead_transaction_id() -> None:
    async with house(faults=Faults(dead_transaction=True)) as home:
        first = await home.driver_charges()
        await home.driver_stops(first.session)
        home.box.unplug()
        second = await home.driver_charges(readings=len(home.of(Reading)) + 3)
        ended = await home.driver_stops(second.session)
        assert second.session != first.session == home.of(SessionEnded)[0].session
        assert ended.session == second.session and ended.register_wh - second.register_wh > LEAST_WH


@pytest.mark.asyncio
async def test_a_meter_that_runs_backwards_bills_nothing() -> None:
    async with house(faults=Faults(meter_backwards=True)) as home:
        await home.driver.authorise(DRIVER, home.clock.now() + HOUR)
        home.box.plug_in()
        await home.driver.remote_start(DRIVER, 1)
        await home.until(lambda: home.driver.status.held_back >= 5)
        ended = await home.driver_stops(home.of(SessionStarted)[0].session)
        # The first readings may lie within the 5 Wh that pass for rounding; they stay at the start's value.
        assert {reading.register_wh for reading in home.of(Reading)} <= {ended.register_wh}
        assert ended.register_wh == home.of(SessionStarted)[0].register_wh


@pytest.mark.asyncio
async def test_duplicates_count_once() -> None:
    async with house(faults=Faults(duplicates=True)) as home:
        started = await home.driver_charges(readings=5)
        await home.driver_stops(started.session)
        assert len(home.of(SessionStarted)) == len(home.of(SessionEnded)) == 1
        readings = home.of(Reading)
        # One that was asked for and one that was due can fall into the same millisecond.
        assert len({(reading.at, reading.register_wh) for reading in readings}) == len(readings)


@pytest.mark.asyncio
@pytest.mark.parametrize("unit", ["kWh", "kwh-as-wh"])
async def test_kwh_said_or_meant(unit: str) -> None:
    async with house(faults=Faults(unit=unit)) as home:  # type: ignore[arg-type]
        started = await home.driver_charges(readings=5)
        gained = home.of(Reading)[-1].register_wh - started.register_wh
        assert LEAST_WH < gained < 11 * SPEED * 10
        ended = await home.driver_stops(started.session)
        assert ended.register_wh == home.box.register_wh


@pytest.mark.asyncio
async def test_a_stop_value_1_wh_below_the_start() -> None:
    async with house(faults=Faults(stop_below_start=True)) as home:
        started = await home.driver_charges(readings=1)
        ended = await home.driver_stops(started.session)
        assert ended.register_wh >= home.of(Reading)[-1].register_wh >= started.register_wh


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "faults", [Faults(stop_minus_one=True), Faults(stop_before_start=True), Faults(values_after_stop=True)]
)
async def test_stops_that_make_no_sense_end_the_session_once(faults: Faults) -> None:
    async with house(faults=faults) as home:
        started = await home.driver_charges()
        ended = await home.driver_stops(started.session)
        assert ended.session == started.session and ended.at >= home.of(Reading)[-1].at
        assert ended.register_wh == home.box.register_wh
        await asyncio.sleep(0.1)
        assert home.reports.index(ended) >= max(
            index for index, report in enumerate(home.reports) if isinstance(report, Reading)
        ), "nothing of a session follows its end"


@pytest.mark.asyncio
async def test_a_backlog_of_two_days_keeps_its_own_times() -> None:
    async with house() as home:
        home.box.vanish(0.1)
        await home.until(lambda: not home.box.connected)
        minutes = 2 * 24 * 60
        home.box.recall_session(OWNER, minutes, ended_ago_s=3600, power_w=2000, every_minutes=10)
        await home.until(lambda: home.of(SessionEnded))
        started, ended = home.of(SessionStarted)[0], home.of(SessionEnded)[0]
        assert started.owner and home.clock.now() - started.at > minutes * 60_000
        assert len(home.of(Reading)) == minutes // 10, "more than a burst: read slowly, and none lost"
        assert ended.register_wh - started.register_wh == 2000 * minutes // 60
        assert 3_590_000 < home.clock.now() - ended.at < 3_700_000


@pytest.mark.asyncio
async def test_a_booked_tag_in_a_backlog_counts_as_it_stood_then() -> None:
    async with house() as home:
        await home.driver.authorise(DRIVER, home.clock.now() - 30 * 60_000)
        home.box.recall_session(DRIVER, 10, ended_ago_s=3600)
        await home.until(lambda: home.of(SessionEnded))
        assert home.of(SessionStarted)[0].tag == DRIVER


@pytest.mark.asyncio
async def test_no_subprotocol() -> None:
    async with house(faults=Faults(no_subprotocol=True)) as home:
        started = await home.driver_charges(readings=1)
        await home.driver_stops(started.session)


@pytest.mark.asyncio
async def test_finishing_refuses_a_remote_start_until_the_car_is_replugged() -> None:
    async with house(faults=Faults(refuse_in_finishing=True)) as home:
        first = await home.driver_charges(readings=1)
        await home.driver_stops(first.session)
        await home.until(lambda: home.driver.status.connector_state == "Finishing")
        with pytest.raises(WallboxError) as refusal:
            await home.driver.remote_start(DRIVER, 1)
        assert refusal.value.code == "unplug-first"
        home.box.unplug()
        home.box.plug_in()
        await home.until(lambda: len(home.of(SessionStarted)) == 2)
        assert home.of(SessionStarted)[-1].tag == DRIVER, "it started by itself"


@pytest.mark.asyncio
async def test_a_start_that_was_withdrawn_does_not_happen_by_itself() -> None:
    async with house(faults=Faults(refuse_in_finishing=True)) as home:
        first = await home.driver_charges(readings=1)
        await home.driver_stops(first.session)
        await home.until(lambda: home.driver.status.connector_state == "Finishing")
        with pytest.raises(WallboxError):
            await home.driver.remote_start(DRIVER, 1)
        await home.driver.authorise(DRIVER, None)
        home.box.unplug()
        home.box.plug_in()
        await asyncio.sleep(0.3)
        assert len(home.of(SessionStarted)) == 1


@pytest.mark.asyncio
async def test_a_box_that_reboots_over_its_settings_is_not_asked_again() -> None:
    async with house(faults=Faults(reboot_on_settings=True)) as home:
        await home.until(lambda: home.box.boots == 2 and home.driver.status.connected)
        await home.driver_charges(readings=1)
        await asyncio.sleep(0.2)
        assert home.box.boots == 2


@pytest.mark.asyncio
async def test_a_box_that_ignores_a_refusal_is_told_to_stop_and_its_energy_is_nobodys() -> None:
    async with house(faults=Faults(ignore_refusal=True)) as home:
        await home.driver.authorise(DRIVER, home.clock.now() + HOUR)
        await home.box.swipe(DRIVER)
        await home.driver.authorise(DRIVER, None)
        home.box.plug_in()
        await home.until(lambda: home.box.session is None and home.of(UnknownTag))
        assert [*home.of(SessionStarted), *home.of(Reading), *home.of(SessionEnded)] == []


@pytest.mark.asyncio
async def test_a_session_that_the_box_forgot_ends_where_it_stood() -> None:
    async with house() as home:
        started = await home.driver_charges()
        await home.box.close()
        await home.until(lambda: Disconnected() in home.reports)
        last = home.of(Reading)[-1]
        home.box = home.new_box()  # a box whose memory was wiped
        await home.box.start()
        await home.until(lambda: home.of(SessionEnded))
        assert home.of(SessionEnded) == [SessionEnded(started.session, last.register_wh, last.at, "Lost")]


async def _forgets(home: House) -> None:
    """The box's memory is wiped while its car stays plugged in: it boots and says `Preparing`."""
    await home.box.close()
    await home.until(lambda: Disconnected() in home.reports)
    home.box = home.new_box()
    home.box.plug_in()
    await home.box.start()
    await home.until(lambda: home.driver.status.connector_state == "Preparing")


@pytest.mark.asyncio
async def test_a_session_that_the_box_forgot_under_a_plugged_car_ends_where_it_stood() -> None:
    async with house() as home:
        started = await home.driver_charges()
        await _forgets(home)
        last = home.of(Reading)[-1]
        await home.until(lambda: home.of(SessionEnded))
        assert home.of(SessionEnded) == [SessionEnded(started.session, last.register_wh, last.at, "Lost")]
        assert home.driver.status.session is None


@pytest.mark.asyncio
async def test_a_forgotten_session_of_the_owner_makes_way_once_its_car_is_unplugged() -> None:
    async with house() as home:
        home.box.plug_in()
        await home.box.swipe(OWNER)
        await home.until(lambda: home.of(Reading))
        await _forgets(home)
        await home.until(lambda: home.of(SessionEnded))
        await home.driver.authorise(DRIVER, home.clock.now() + HOUR)
        with pytest.raises(WallboxError) as refusal:
            await home.driver.remote_start(DRIVER, 1)
        assert refusal.value.code == "unplug-first", "nobody pays for the owner's car"
        home.box.unplug()
        home.box.plug_in()
        await home.until(lambda: len(home.of(SessionStarted)) == 2)
        assert home.of(SessionStarted)[-1].tag == DRIVER


@pytest.mark.asyncio
async def test_a_box_that_does_not_charge_and_refuses_a_stop_twice_has_forgotten_the_session() -> None:
    async with house(pace=replace(FAST, resumed_s=HOUR)) as home:
        started = await home.driver_charges()
        await _forgets(home)
        with pytest.raises(WallboxError) as refusal:
            await home.driver.remote_stop(started.session)
        assert refusal.value.code == "wallbox-refused" and not home.of(SessionEnded)
        await home.driver.remote_stop(started.session)
        assert [end.reason for end in home.of(SessionEnded)] == ["Lost"]
        await home.driver.remote_stop(started.session)
        assert len(home.of(SessionEnded)) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("state", ["Faulted", "Unavailable", "Charging"])
async def test_a_stop_refused_in_a_state_that_a_session_may_outlive_ends_nothing(state: str) -> None:
    async with house() as home:
        started = await home.driver_charges()
        session = home.driver._station.ledger.find(started.session)
        assert session is not None
        home.driver._station.states[1] = state
        assert [await home.driver._station.stop_refused(session) for _ in range(3)] == [False] * 3
        assert home.driver.status.session == started.session and not home.of(SessionEnded)


@pytest.mark.asyncio
async def test_a_stop_refused_for_a_session_that_has_just_ended_costs_the_next_one_nothing() -> None:
    async with house() as home:
        before = await home.driver_charges()
        session = home.driver._station.ledger.find(before.session)
        assert session is not None
        home.box.unplug()
        await home.until(lambda: home.of(SessionEnded))
        following = await home.driver_charges(len(home.of(Reading)) + 1)
        home.driver._station.states[1] = "Preparing"
        assert [await home.driver._station.stop_refused(session) for _ in range(2)] == [False, True]
        assert home.driver.status.session == following.session


@pytest.mark.asyncio
async def test_a_box_that_reboots_in_mid_session_and_resumes_keeps_it() -> None:
    async with house(pace=replace(FAST, resumed_s=0.05)) as home:
        started = await home.driver_charges()
        home.box.reset_asked()
        await home.until(lambda: home.box.boots == 2 and home.driver.status.connected)
        readings = len(home.of(Reading))
        await home.until(lambda: len(home.of(Reading)) > readings + 3)
        assert home.driver.status.session == started.session and not home.of(SessionEnded)


@pytest.mark.asyncio
async def test_a_session_that_goes_on_after_it_was_given_up_is_stopped_once_and_for_all() -> None:
    async with house() as home:
        started = await home.driver_charges()
        await home.driver._station._lose(1)  # as after a boot with too long a silence
        (ended,) = home.of(SessionEnded)
        await home.until(lambda: home.box.session is None)
        await home.box.all_said()
        assert home.of(SessionEnded) == [ended] and ended.session == started.session
        assert home.reports.index(ended) > max(
            index for index, report in enumerate(home.reports) if isinstance(report, Reading)
        )


@pytest.mark.asyncio
async def test_each_session_is_waited_for_on_its_own() -> None:
    async with house() as home:
        first = await home.driver_charges()
        station = home.driver._station
        station._pace = replace(FAST, resumed_s=HOUR)
        await _forgets(home)
        await home.until(lambda: station._doubted)
        for _ in range(2):
            with contextlib.suppress(WallboxError):
                await home.driver.remote_stop(first.session)
        station._pace = FAST
        home.box.unplug()
        readings = len(home.of(Reading))
        await home.driver_charges(readings + 1)
        await _forgets(home)
        await home.until(lambda: len(home.of(SessionEnded)) == 2, seconds=20.0)


@pytest.mark.asyncio
async def test_a_long_pace_does_not_end_a_session_early() -> None:
    async with house(pace=replace(FAST, freed_s=60.0)) as home:
        started = await home.driver_charges()
        home.box.vanish(0.1)
        await home.until(lambda: not home.driver.status.connected)
        await home.until(lambda: home.driver.status.connected)
        assert home.driver.status.session == started.session
