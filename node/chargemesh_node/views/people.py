"""What this node thinks of somebody, and why."""

from __future__ import annotations

from typing import TypedDict

from chargemesh_protocol.trust.entries import Review, open_content
from chargemesh_protocol.trust.month import text_of
from chargemesh_protocol.trust.score import Score

from ..node import Node

_SHOWN_REVIEWS = 50


class Person(TypedDict):
    """Somebody this node has dealt with or heard of. trust: per mille, 0 is where newcomers stand."""

    author: str
    trust: int
    sentence: str
    known: bool


class ReviewView(TypedDict):
    """One review in the replicated log. month: YYYY-MM. stars: null where its content was erased or is
    not here."""

    author: str
    month: str
    stars: int | None
    text: str


class Trust(TypedDict):
    """A score with its evidence (see `trust.score.Score`). mean_stars: tenths of a star, null without any.
    vouched: whether this node stands up for them. shown: the newest reviews in our copy of the log, whether
    they weigh anything or not."""

    author: str
    number: int
    sentence: str
    standing: int
    mean_stars: int | None
    reviewers: int
    reviews: int
    weightless: int
    unproven: int
    completions: int
    own_completions: int
    through: list[str]
    us: bool
    vouched: bool
    shown: list[ReviewView]


def person(node: Node, author: bytes) -> Person:
    score = node.score(author)
    return {
        "author": author.hex(),
        "trust": score.number,
        "sentence": _sentence(node, score),
        "known": score.own_completions > 0,
    }


def trust(node: Node, author: bytes) -> Trust:
    score = node.score(author)
    return {
        "author": author.hex(),
        "number": score.number,
        "sentence": _sentence(node, score),
        "standing": score.standing,
        "mean_stars": score.mean_stars,
        "reviewers": score.reviewers,
        "reviews": score.reviews,
        "weightless": score.weightless,
        "unproven": score.unproven,
        "completions": score.completions,
        "own_completions": score.own_completions,
        "through": [hop.hex() for hop in score.through],
        "us": author == node.me.author,
        "vouched": node.runner.engine.keeper.stands_for(author),
        "shown": _reviews(node, author),
    }


def _reviews(node: Node, subject: bytes) -> list[ReviewView]:
    found: list[ReviewView] = []
    for entry in reversed(node.replica.entries_about(subject)):
        body = entry.record.body
        if not isinstance(body, Review) or len(found) == _SHOWN_REVIEWS:
            continue
        raw = node.replica.logs.content(entry.id)
        content = open_content(raw) if raw is not None else None
        found.append(
            {
                "author": body.author.hex(),
                "month": text_of(body.month),
                "stars": content.stars.overall if content else None,
                "text": content.text if content else "",
            }
        )
    return found


def _sentence(node: Node, score: Score) -> str:
    return score.sentence(lambda author: "you" if author == node.me.author else author.hex()[:8])
