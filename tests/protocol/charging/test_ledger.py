"""Which session a fact belongs to, whatever number the box gives it."""

from __future__ import annotations

import json

from chargemesh_protocol.charging.admission import Verdict
from chargemesh_protocol.charging.ledger import Ledger, StartFacts, StopFacts
from chargemesh_protocol.charging.reports import Reading, SessionEnded, SessionStarted, UnknownTag
from chargemesh_protocol.charging.samples import Sample
from chargemesh_protocol.limits import MAX_SESSIONS_REMEMBERED

T0 = 1_777_629_600_000
MINUTE = 60_000
START = StartFacts(1, "DRIVER", 1000, T0)


def started(ledger: Ledger, facts: StartFacts = START, verdict: Verdict = Verdict.BOOKED) -> int:
    session, _ = ledger.start(facts, verdict, facts.at or T0)
    return session.transaction


def sample(minutes: int, wh: int) -> Sample:
    return Sample(T0 + minutes * MINUTE, wh * 1000, 11_000)


def test_a_session_from_start_to_end() -> None:
    ledger = Ledger()
    session, begun = ledger.start(START, Verdict.BOOKED, T0)
    name = str(session.transaction)
    assert begun == [SessionStarted(name, "DRIVER", 1000, T0, False)]
    assert ledger.meter(1, session.transaction, [sample(1, 1180)], T0 + MINUTE) == [
        Reading(name, 1180, 11_000, T0 + MINUTE, "Sample.Periodic")
    ]
    stop = StopFacts(session.transaction, None, 1360, T0 + 2 * MINUTE, "Remote")
    assert ledger.stop(stop, T0 + 2 * MINUTE) == [SessionEnded(name, 1360, T0 + 2 * MINUTE, "Remote")]
    assert ledger.running() is None and ledger.register_wh == 1360


def test_repeated_starts_and_stops_get_the_same_answer_and_no_report() -> None:
    ledger = Ledger()
    number = started(ledger)
    again, reports = ledger.start(START, Verdict.BOOKED, T0 + 5 * MINUTE)
    assert (again.transaction, reports) == (number, [])
    restamped, reports = ledger.start(StartFacts(1, "driver", 1000, T0 + MINUTE), Verdict.BOOKED, T0 + MINUTE)
    assert (restamped.transaction, reports) == (number, [])
    stop = StopFacts(number, None, 1100, T0 + MINUTE)
    assert len(ledger.stop(stop, T0 + MINUTE)) == 1
    assert ledger.stop(stop, T0 + 2 * MINUTE) == []


def test_a_dead_number_is_attributed_by_connector_and_time() -> None:
    ledger = Ledger()
    old = started(ledger)
    ledger.stop(StopFacts(old, None, 1100, T0 + MINUTE), T0 + MINUTE)
    new = started(ledger, StartFacts(1, "DRIVER", 1100, T0 + 10 * MINUTE))
    for number in (old, 99_999, -1, None):
        reports = ledger.meter(1, number, [sample(11, 1200)], T0 + 11 * MINUTE)
        assert all(isinstance(report, Reading) and report.session == str(new) for report in reports)
    assert ledger.register_wh == 1200
    assert ledger.meter(1, old, [sample(1, 1100)], T0 + 12 * MINUTE) == [], "backlog of the old session"
    dead_stop = StopFacts(old, None, 1300, T0 + 12 * MINUTE)
    assert ledger.stop(dead_stop, T0 + 12 * MINUTE) == [
        SessionEnded(str(new), 1300, T0 + 12 * MINUTE, "Local")
    ]


def test_an_old_stop_told_again_does_not_end_the_running_session() -> None:
    ledger = Ledger()
    old = started(ledger)
    stop = StopFacts(old, None, 1100, T0 + MINUTE)
    ledger.stop(stop, T0 + MINUTE)
    new = started(ledger, StartFacts(1, "DRIVER", 1100, T0 + 10 * MINUTE))
    assert ledger.stop(stop, T0 + 11 * MINUTE) == []
    assert ledger.stop(StopFacts(old, None, 1101, T0 + 2 * MINUTE), T0 + 11 * MINUTE) == []
    running = ledger.running()
    assert running is not None and running.transaction == new


def test_a_stop_with_number_minus_one_ends_the_running_session() -> None:
    ledger = Ledger()
    number = started(ledger)
    stray = StopFacts(-1, None, 10, T0 - 60 * MINUTE)
    assert ledger.stop(stray, T0 + MINUTE) == [], "neither its register nor its time fits"
    ended = ledger.stop(StopFacts(-1, "DRIVER", 1090, T0 - 60 * MINUTE), T0 + MINUTE)
    assert ended == [SessionEnded(str(number), 1090, T0 + MINUTE, "Local")]


def test_values_after_the_stop_change_nothing() -> None:
    ledger = Ledger()
    number = started(ledger)
    ledger.stop(StopFacts(number, None, 1100, T0 + MINUTE), T0 + MINUTE)
    assert ledger.meter(1, number, [sample(1, 1101)], T0 + MINUTE) == []
    session = ledger.find(str(number))
    assert session is not None and session.register_wh == 1100


def test_a_refused_session_gets_a_number_and_no_report() -> None:
    ledger = Ledger()
    session, reports = ledger.start(START, Verdict.UNKNOWN, T0)
    assert session.refused and reports == [UnknownTag("DRIVER", T0)]
    assert ledger.meter(1, session.transaction, [sample(1, 1180)], T0 + MINUTE) == []
    assert ledger.stop(StopFacts(session.transaction, None, 1190, T0 + MINUTE), T0 + MINUTE) == []
    assert ledger.running() is None


def test_a_refused_start_does_not_end_the_session_that_runs() -> None:
    ledger = Ledger()
    number = started(ledger)
    started(ledger, StartFacts(1, "STRANGER", 1000, T0 + 1), Verdict.UNKNOWN)
    running = ledger.running()
    assert running is not None and running.transaction == number


def test_sessions_are_retold_as_they_stand() -> None:
    ledger = Ledger()
    first = started(ledger)
    ended = ledger.stop(StopFacts(first, None, 1100, T0 + MINUTE, "Remote"), T0 + MINUTE)
    second = started(ledger, StartFacts(1, "OWNER", 1100, T0 + 2 * MINUTE), Verdict.OWNER)
    assert ledger.retold(9) == [
        SessionStarted(str(first), "DRIVER", 1000, T0),
        *ended,
        SessionStarted(str(second), "OWNER", 1100, T0 + 2 * MINUTE, True),
        Reading(str(second), 1100, None, T0 + 2 * MINUTE, "Sample.Periodic"),
    ]


def test_a_second_start_ends_the_session_that_was_never_ended() -> None:
    ledger = Ledger()
    number = started(ledger)
    ledger.meter(1, number, [sample(1, 1180)], T0 + MINUTE)
    _, reports = ledger.start(StartFacts(1, "OTHER", 1200, T0 + 60 * MINUTE), Verdict.OWNER, T0 + 60 * MINUTE)
    assert reports[0] == SessionEnded(str(number), 1180, T0 + MINUTE, "Superseded")
    assert isinstance(reports[1], SessionStarted) and reports[1].owner


def test_a_free_connector_ends_a_forgotten_session() -> None:
    ledger = Ledger()
    number = started(ledger)
    assert ledger.lost(2) == []
    assert ledger.lost(1) == [SessionEnded(str(number), 1000, T0, "Lost")]


def test_a_late_stop_of_a_forgotten_session_changes_nothing() -> None:
    ledger = Ledger()
    number = started(ledger)
    ledger.booted(T0 + MINUTE)
    assert len(ledger.lost(1)) == 1
    assert ledger.given_up(number) is not None
    following = started(ledger, StartFacts(1, "OTHER", 1100, T0 + 2 * MINUTE))
    late = StopFacts(number, "DRIVER", 1090, T0 + MINUTE, "PowerLoss")
    for _ in range(2):
        assert ledger.stop(late, T0 + 3 * MINUTE) == []
    running = ledger.running()
    assert running is not None and running.transaction == following


def test_after_a_boot_only_what_names_a_session_or_charges_shows_that_it_goes_on() -> None:
    ledger = Ledger()
    number = started(ledger)
    ledger.booted(T0 + 5 * MINUTE)

    def doubted() -> bool:
        running = ledger.running()
        return running is not None and running.booted_at is not None

    assert ledger.meter(1, None, [sample(6, 1010)], T0 + 6 * MINUTE) == [], "an idle box reads its meter too"
    assert ledger.meter(1, 0, [sample(6, 1010)], T0 + 6 * MINUTE) == [] and doubted()
    assert ledger.meter(1, number, [sample(2, 1100)], T0 + 6 * MINUTE) and doubted(), "a backlog"
    assert Ledger.decode(json.loads(json.dumps(ledger.encode()))).sessions == ledger.sessions
    assert ledger.meter(1, number, [sample(7, 1200)], T0 + 7 * MINUTE) and not doubted()
    ledger.booted(T0 + 8 * MINUTE)
    ledger.resumed(1)
    assert not doubted()


def test_memory_survives_a_restart_and_numbers_never_repeat() -> None:
    ledger = Ledger()
    first = started(ledger)
    ledger.meter(1, first, [sample(1, 1180), Sample(T0 + 2 * MINUTE, 0, None)], T0 + 2 * MINUTE)
    again = Ledger.decode(json.loads(json.dumps(ledger.encode())))
    assert again.sessions == ledger.sessions
    assert len(again.stop(StopFacts(first, None, 1300, T0 + 3 * MINUTE), T0 + 3 * MINUTE)) == 1
    assert started(again, StartFacts(1, "DRIVER", 1300, T0)) > first


def test_memory_is_bounded() -> None:
    ledger = Ledger()
    for n in range(3 * MAX_SESSIONS_REMEMBERED):
        number = started(ledger, StartFacts(1, "DRIVER", n, T0 + n))
        ledger.stop(StopFacts(number, None, n, T0 + n), T0 + n)
    assert len(ledger.sessions) == MAX_SESSIONS_REMEMBERED
