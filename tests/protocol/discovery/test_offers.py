"""What strangers say of chargers: forged, stale and foreign offers are refused, each for its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chargemesh_protocol.discovery.offers import open_offer, open_withdrawal
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import ALL_SCOPES, Delegation, Directory, Scope, public_key
from chargemesh_protocol.limits import CLOCK_TOLERANCE_MS, MAX_LISTING_LIFE_MS, RENEWAL_LIFE_MS
from chargemesh_protocol.record import sign

from .hosts import HOUR, NETWORK, NOW, Host, seed

ANNA, BORIS = Host("anna"), Host("boris")
LISTING = ANNA.lists()
RENEWAL = ANNA.renews(LISTING)


def refusal(listing: bytes, renewal: bytes, bundle: bytes, now: int = NOW) -> str:
    with pytest.raises(Refused) as caught:
        open_offer(listing, renewal, bundle, Directory(NETWORK), now)
    return caught.value.code


def test_a_good_offer_is_opened_and_its_author_known_from_then_on() -> None:
    directory = Directory(NETWORK)
    offer = open_offer(LISTING.raw, RENEWAL.raw, ANNA.bundle.to_bytes(), directory, NOW)
    assert offer.listing == LISTING and offer.renewal == RENEWAL
    assert offer.shown_until == NOW + RENEWAL_LIFE_MS
    again = open_offer(LISTING.raw, RENEWAL.raw, b"not looked at any more", directory, NOW)
    assert again.bundle == ANNA.bundle.to_bytes()


def test_altered_bytes_are_refused() -> None:
    bundle = ANNA.bundle.to_bytes()
    for part in (0, 1):
        raws = [LISTING.raw, RENEWAL.raw]
        for at in (3, len(raws[part]) // 2, -1):
            spoilt = bytearray(raws[part])
            spoilt[at] ^= 1
            tried = [*raws]
            tried[part] = bytes(spoilt)
            assert refusal(tried[0], tried[1], bundle) in {"bad-signature", "encoding", "header", "bad-key"}


def test_others_cannot_speak_for_a_host() -> None:
    bundle = ANNA.bundle.to_bytes()
    forged = ANNA.lists(seed=BORIS.device)
    assert refusal(forged.raw, BORIS.renews(forged).raw, bundle) == "not-delegated"
    assert refusal(LISTING.raw, ANNA.renews(LISTING, seed=BORIS.device).raw, bundle) == "renewal"
    assert refusal(LISTING.raw, ANNA.renews(ANNA.lists(sequence=2)).raw, bundle) == "renewal"
    assert refusal(LISTING.raw, RENEWAL.raw, BORIS.bundle.to_bytes()) == "bundle"
    assert refusal(LISTING.raw, LISTING.raw, bundle) == "wrong-kind"
    other = Host("anna", "chargemesh-test-other")
    assert refusal(other.lists().raw, other.renews(other.lists()).raw, bundle) == "bad-signature"


def test_a_device_without_the_scope_cannot_list() -> None:
    phone = seed("anna's phone")
    scopes = tuple(one for one in ALL_SCOPES if one is not Scope.LIST)
    first = ANNA.bundle.delegations[0].body
    delegation = sign(
        Delegation(**{**fields(first), "device": public_key(phone), "scopes": scopes}),
        seed("anna root"),
        NETWORK,
    )
    bundle = replace(ANNA.bundle, delegations=(*ANNA.bundle.delegations, delegation)).to_bytes()
    listing = ANNA.lists(seed=phone)
    assert refusal(listing.raw, ANNA.renews(listing, seed=phone).raw, bundle) == "not-delegated"


def fields(body: Delegation) -> dict[str, object]:
    return {name: getattr(body, name) for name in body.__slots__}  # type: ignore[attr-defined]


def test_only_what_is_current_is_opened() -> None:
    bundle = ANNA.bundle.to_bytes()
    assert refusal(LISTING.raw, RENEWAL.raw, bundle, NOW + RENEWAL_LIFE_MS) == "not-renewed"
    late = ANNA.renews(LISTING, NOW + MAX_LISTING_LIFE_MS - 1)
    assert refusal(LISTING.raw, late.raw, bundle, NOW + MAX_LISTING_LIFE_MS) == "expired"
    assert refusal(LISTING.raw, RENEWAL.raw, bundle, NOW - CLOCK_TOLERANCE_MS - 1) == "future"
    early = ANNA.renews(LISTING, NOW + 3 * HOUR)
    assert refusal(LISTING.raw, early.raw, bundle) == "future"


def test_a_withdrawal_is_opened_while_it_matters() -> None:
    raw, bundle = ANNA.withdraws(LISTING).raw, ANNA.bundle.to_bytes()
    assert open_withdrawal(raw, bundle, Directory(NETWORK), NOW).body.sequence == 2
    for now, code in ((NOW + MAX_LISTING_LIFE_MS, "expired"), (NOW - CLOCK_TOLERANCE_MS - 1, "future")):
        with pytest.raises(Refused, match=code):
            open_withdrawal(raw, bundle, Directory(NETWORK), now)
    with pytest.raises(Refused, match="wrong-kind"):
        open_withdrawal(LISTING.raw, bundle, Directory(NETWORK), NOW)
