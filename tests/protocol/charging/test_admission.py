"""Who may charge when."""

from __future__ import annotations

import pytest

from chargemesh_protocol.charging.admission import Admission, Verdict
from chargemesh_protocol.limits import MAX_TAG_GRANTS


def test_the_owner_always_the_driver_until_the_end_others_never() -> None:
    admission = Admission(["Owner-1"], plug_and_charge=False)
    admission.grant("driver", 1000)
    assert admission.judge("OWNER-1", 5000) is Verdict.OWNER
    assert admission.judge("DRIVER", 1000) is Verdict.BOOKED
    assert admission.judge("driver", 1001) is Verdict.EXPIRED
    assert admission.judge("stranger", 0) is Verdict.UNKNOWN
    admission.grant("Driver", None)
    assert admission.judge("driver", 0) is Verdict.UNKNOWN


def test_plug_and_charge_works_outside_bookings_only() -> None:
    admission = Admission([], plug_and_charge=True)
    assert admission.judge("ANY", 0) is Verdict.PLUGGED and Verdict.PLUGGED.owner
    admission.grant("driver", 1000)
    assert admission.judge("ANY", 500) is Verdict.UNKNOWN
    assert admission.judge("ANY", 1001) is Verdict.PLUGGED


@pytest.mark.parametrize("tag", ["", "x" * 21, "a\nb"])
def test_a_tag_that_no_wallbox_could_send_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        Admission([], False).grant(tag, 1)


def test_grants_are_bounded_and_survive_by_their_pairs() -> None:
    admission = Admission([], False)
    for n in range(MAX_TAG_GRANTS + 5):
        admission.grant(f"t{n}", n)
    assert len(admission.grants) == MAX_TAG_GRANTS and admission.until("t0") is None
    assert Admission([], False, admission.grants).grants == admission.grants


def test_tags_keep_the_spelling_that_we_gave_them() -> None:
    admission = Admission(["Owner-1"], False, [("CM0A", 5)])
    assert [admission.spelling(tag) for tag in ("owner-1", "cm0a", "New")] == ["Owner-1", "CM0A", "New"]
