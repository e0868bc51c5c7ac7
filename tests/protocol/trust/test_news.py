"""Gossip messages of the log are complete: whoever knows nobody can judge what is in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.limits import MAX_NEWS_BYTES, MAX_NEWS_ITEMS
from chargemesh_protocol.trust.catch_up import take
from chargemesh_protocol.trust.logset import LogSet
from chargemesh_protocol.trust.news import compose, open_news, signers
from chargemesh_protocol.trust.sync import Item

from .people import NETWORK, Person, directory_of


def test_a_message_holds_the_bundles_of_everybody_who_signed_in_it() -> None:
    host, driver = Person("host"), Person("driver")
    items = [host.completes(driver, "one"), host.reviews(driver, "one", 5), host.vouches(driver)]
    assert signers(items[0]) == (host.author, driver.author)
    assert signers(items[1]) == signers(items[2]) == (host.author,)
    (news,) = compose(items, directory_of(host, driver))
    assert open_news(news.to_bytes()) == news
    fresh = LogSet(NETWORK, Directory(NETWORK))
    taken = take(fresh, news.bundles, news.items)
    assert len(taken.fresh) == 3 and not taken.aside and not taken.refused
    assert len(news.bundles) == 2


def test_many_or_long_entries_are_spread_over_messages_within_their_bounds() -> None:
    writer, friend = Person("writer"), Person("friend")
    items = [writer.vouches(friend) for _ in range(2 * MAX_NEWS_ITEMS + 1)]
    items += [writer.reviews(friend, str(number), 3, text="é" * 2000) for number in range(20)]
    messages = list(compose(items, directory_of(writer, friend)))
    assert [item for news in messages for item in news.items] == items
    assert all(len(news.to_bytes()) <= MAX_NEWS_BYTES for news in messages)
    assert all(len(news.bundles) == 1 for news in messages)
    assert len(messages) <= 6


def test_nothing_makes_no_message() -> None:
    assert list(compose([], Directory(NETWORK))) == []


@given(st.binary(max_size=300))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        open_news(data)
    if data:
        with pytest.raises(Refused):
            signers(Item(raw=data))
