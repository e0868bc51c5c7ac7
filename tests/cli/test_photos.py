"""`charger photo` and `booking photos`: pictures in, pictures out."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.api.limits import MAX_PICTURE_BYTES

from . import samples
from .person import Person
from .stub_node import Refusal, StubNode

OF_CHARGER = f"chargers/{samples.CHARGER}/photos"
SHOWN = {"charger": samples.CHARGER, "photos": [samples.PHOTO]}
BOOKING = f"bookings/{samples.BOOKING}"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "gate.png"
    file.write_bytes(b"a picture")
    return file


def test_pictures_are_sent_as_they_are(person: Person, node: StubNode, picture: Path) -> None:
    node.answers |= {f"POST {OF_CHARGER}": SHOWN, f"GET {OF_CHARGER}": SHOWN}
    said = person.types("charger", "photo", "add", samples.CHARGER, str(picture), str(picture)).out
    assert "9f86d081" in said and "1280 x 960" in said and "40 KB" in said
    assert [one.body for one in node.calls(f"POST {OF_CHARGER}")] == [b"a picture", b"a picture"]
    assert person.types("--json", "charger", "photo", "list", samples.CHARGER).value == SHOWN


def test_photos_are_taken_away_by_their_ids(person: Person, node: StubNode) -> None:
    node.answers[f"DELETE {OF_CHARGER}/9f86d081"] = {**SHOWN, "photos": []}
    said = person.types("charger", "photo", "remove", samples.CHARGER, "9f86d081").out
    assert "No photos yet." in said


def test_what_is_no_picture_is_told_before_anything_is_sent(
    person: Person, node: StubNode, tmp_path: Path, picture: Path
) -> None:
    node.answers[f"POST {OF_CHARGER}"] = SHOWN
    missing = person.types("charger", "photo", "add", samples.CHARGER, str(picture), str(tmp_path / "none"))
    assert missing.code == 2 and "Cannot read" in missing.err
    with picture.open("wb") as file:
        file.truncate(MAX_PICTURE_BYTES + 1)
    assert person.types("charger", "photo", "add", samples.CHARGER, str(picture)).code == 2
    assert not node.calls(f"POST {OF_CHARGER}")
    picture.write_bytes(b"no picture")
    node.answers[f"POST {OF_CHARGER}"] = Refusal(400, "bad-photo", "This is no picture.", "Save it.", 2)
    refused = person.types("charger", "photo", "add", samples.CHARGER, str(picture))
    assert refused.code == 2 and "This is no picture." in refused.err


def with_photos(*here: bool) -> Any:
    access = {
        "address": "Teststr. 1",
        "place": {"latitude": 52.52, "longitude": 13.4, "map": "geo:52.520000,13.400000"},
        "way": "",
        "code": "",
        "phone": "",
        "photos": [{**samples.PHOTO, "here": one} for one in here],
    }
    return {**samples.BOOKING_VIEW, "access": access}


def test_photos_are_saved_for_their_owner_alone(person: Person, node: StubNode, tmp_path: Path) -> None:
    node.answers |= {f"GET {BOOKING}": with_photos(True, False, True)}
    node.answers |= {f"GET {BOOKING}/photos/{samples.PHOTO['id']}": b"a jpeg"}
    folder = tmp_path / "way"
    said = person.types("booking", "photos", samples.BOOKING, "--out", str(folder)).out
    saved = sorted(folder.iterdir())
    assert [one.name for one in saved] == [f"{samples.BOOKING[:8]}-{number}.jpg" for number in (1, 3)]
    assert {one.read_bytes() for one in saved} == {b"a jpeg"}
    assert {stat.S_IMODE(one.stat().st_mode) for one in saved} == {0o600}
    assert "1 still to come" in said


def test_it_says_why_there_are_none(person: Person, node: StubNode) -> None:
    node.answers[f"GET {BOOKING}"] = [with_photos(), samples.BOOKING_VIEW]
    assert "No photos came" in person.types("booking", "photos", samples.BOOKING).out
    assert "not sent yet" in person.types("booking", "photos", samples.BOOKING).out
