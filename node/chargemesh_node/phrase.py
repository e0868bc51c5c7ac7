"""The recovery phrase: 24 words that hold the 32-byte seed of the recovery key (BIP-39, English list).

The words encode the seed itself; BIP-39's step from words to a wallet's seed plays no part here. The
last word carries an 8-bit checksum, so one wrong word is noticed 255 times out of 256.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import cache

from mnemonic import Mnemonic

from chargemesh_protocol.errors import ExitCode, PersonError

SEED_BYTES = 32
WORDS = 24
# In BIP-39's lists the first four letters tell every word from every other.
_PREFIX_CHARS = 4
_MAX_PHRASE_CHARS = 1000
_NUMBERING = re.compile(r"\b\d{1,2}(?:[.):]|(?=\s|$))")


def encode_phrase(seed: bytes) -> str:
    """24 words, separated by single spaces; ValueError unless `seed` has 32 bytes."""
    if len(seed) != SEED_BYTES:
        raise ValueError("a recovery seed has 32 bytes")
    return _bip39().to_mnemonic(seed)


def decode_phrase(text: str) -> bytes:
    """The 32-byte seed in `text`; PersonError names the word that is wrong.

    Forgiving in what a person types: capitals, line breaks, commas, numbering ("1. abandon"), and the
    first four letters in place of a word.
    """
    typed = _words(text)
    if len(typed) != WORDS:
        raise _error(
            f"A recovery phrase has {WORDS} words; these are {len(typed)}.", "Type all of them, in order."
        )
    words = [_known_word(position, word) for position, word in enumerate(typed, 1)]
    try:
        return bytes(_bip39().to_entropy(words))
    except ValueError as error:
        raise _error(
            "Every word is in the list, but together they are not a recovery phrase: the checksum fails.",
            "Look for two words in the wrong order, or a word mistaken for a similar one.",
        ) from error


@cache
def _bip39() -> Mnemonic:
    return Mnemonic("english")


@cache
def _by_prefix() -> dict[str, str]:
    return {word[:_PREFIX_CHARS]: word for word in _bip39().wordlist}


def _words(text: str) -> list[str]:
    if len(text) > _MAX_PHRASE_CHARS:
        raise _error("This is too long for a recovery phrase.", f"Type the {WORDS} words only.")
    plain = unicodedata.normalize("NFKC", text).lower().replace(",", " ")
    return _NUMBERING.sub(" ", plain).split()


def _known_word(position: int, word: str) -> str:
    """The list's word for what was typed: itself, or the one that its first four letters name."""
    listed = _bip39().wordlist
    if word in listed:
        return word
    if len(word) == _PREFIX_CHARS and word in _by_prefix():
        return _by_prefix()[word]
    near = difflib.get_close_matches(word, listed, n=2, cutoff=0.6)
    hint = f"Did you mean {' or '.join(repr(one) for one in near)}?" if near else "Compare it with your note."
    raise _error(f"Word {position}, {word[:40]!r}, is not in the list of recovery words.", hint)


def _error(message: str, hint: str) -> PersonError:
    return PersonError("recovery-phrase", message, hint, ExitCode.USAGE)
