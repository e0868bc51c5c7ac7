"""The recovery phrase: BIP-39's own vectors, and what people mistype."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_node.phrase import decode_phrase, encode_phrase
from chargemesh_protocol.errors import ExitCode, PersonError

# From the test vectors that accompany BIP-39 (entropy of 256 bits, English).
VECTORS = [
    ("00" * 32, " ".join(["abandon"] * 23 + ["art"])),
    (
        "7f" * 32,
        "legal winner thank year wave sausage worth useful " * 2
        + "legal winner thank year wave sausage worth title",
    ),
    ("ff" * 32, " ".join(["zoo"] * 23 + ["vote"])),
    (
        "f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
        "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing "
        "screen patrol group space point ten exist slush involve unfold",
    ),
]
SEED, PHRASE = bytes.fromhex(VECTORS[3][0]), VECTORS[3][1]


@pytest.mark.parametrize(("seed", "phrase"), VECTORS)
def test_the_published_vectors(seed: str, phrase: str) -> None:
    assert encode_phrase(bytes.fromhex(seed)) == phrase
    assert decode_phrase(phrase) == bytes.fromhex(seed)


@given(st.binary(min_size=32, max_size=32))
def test_every_seed_comes_back(seed: bytes) -> None:
    assert decode_phrase(encode_phrase(seed)) == seed


def test_people_type_it_in_many_ways() -> None:
    words = PHRASE.split()
    numbered = "\n".join(f"{place}. {word.capitalize()}" for place, word in enumerate(words, 1))
    assert decode_phrase(numbered) == SEED
    assert decode_phrase(numbered.replace(". ", ".").replace("\n", " ")) == SEED
    assert decode_phrase(", ".join(words)) == SEED
    assert decode_phrase("  " + "   ".join(word[:4] for word in words) + "\n") == SEED


def test_the_wrong_word_is_named_with_its_place() -> None:
    with pytest.raises(PersonError) as caught:
        decode_phrase(PHRASE.replace("effort", "efort"))
    assert caught.value.message.startswith("Word 3, 'efort',")
    assert "'effort'" in caught.value.hint
    assert caught.value.exit_code == ExitCode.USAGE


def test_too_few_words_are_counted() -> None:
    with pytest.raises(PersonError, match="these are 23"):
        decode_phrase(PHRASE.rsplit(" ", 1)[0])
    with pytest.raises(PersonError, match="these are 0"):
        decode_phrase("")


def test_swapped_words_fail_the_checksum() -> None:
    words = PHRASE.split()
    words[0], words[1] = words[1], words[0]
    with pytest.raises(PersonError, match="checksum"):
        decode_phrase(" ".join(words))


def test_a_book_is_no_phrase() -> None:
    with pytest.raises(PersonError, match="too long"):
        decode_phrase("abandon " * 1000)


def test_a_seed_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        encode_phrase(bytes(16))
