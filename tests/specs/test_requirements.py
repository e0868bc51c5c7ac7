"""The text of the specs hangs together: numbers run, registries are whole, and what it names exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chargemesh_node.invite import SCHEME
from chargemesh_protocol.booking.concurrent import CONCURRENT
from chargemesh_protocol.money import CURRENCIES
from chargemesh_protocol.record import KINDS
from chargemesh_protocol.shape import keys_of
from tests.protocol import spec_data
from tests.protocol.write_specs import MESSAGES, SPECS, shapes

CHAPTERS = sorted(SPECS.glob("[0-9]*.md"))
REGISTRIES = (SPECS / "08-clocks-limits-errors.md").read_text()


def code_of(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_requirements_are_numbered_through(path: Path) -> None:
    """None twice and none left out; one that came later keeps its number wherever it stands."""
    found = re.findall(r"^\*\*([A-Z])(\d+)\.\*\*", path.read_text(), re.MULTILINE)
    assert sorted(int(number) for _, number in found) == list(range(1, len(found) + 1))
    assert len(found) >= 3 and len({letter for letter, _ in found}) == 1


def test_each_chapter_has_a_letter_of_its_own() -> None:
    letters = [re.findall(r"^\*\*([A-Z])1\.\*\*", path.read_text(), re.MULTILINE) for path in CHAPTERS]
    assert len({one[0] for one in letters}) == len(CHAPTERS)


def test_requirements_that_are_referred_to_exist() -> None:
    text = "".join(path.read_text() for path in CHAPTERS)
    numbered = set(re.findall(r"^\*\*([A-Z]\d+)\.\*\*", text, re.MULTILINE))
    letters = "".join({one[0] for one in numbered})
    prose = re.sub(r"`[^`]*`|^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(rf"\b([{letters}]\d{{1,2}})\b", prose))
    assert named - numbered <= {"H3", "T2"}, named - numbered


RULE = re.compile(r"^\*\*([A-Z]\d+[a-z]?)\.\*\*", re.MULTILINE)
WHY = re.compile(r"\*Why([^*:.]*)[:.]\*\s*([^*]{20,})")  # `*Why:*`, `*Why two:*`, `*Why R1, R2 and R4:*`


def rules_of(text: str) -> dict[str, str]:
    """The text of each numbered rule, up to the next one or the next heading."""
    parts = re.split(r"^(?=\*\*[A-Z]\d+[a-z]?\.\*\*|#+ )", text, flags=re.MULTILINE)
    return {found[1]: part for part in parts if (found := RULE.match(part))}


def named_in(words: str, rules: list[str]) -> set[str]:
    """The rules that stand before the colon of a reason: `R1, R2 and R4`, or `G11 to G13`."""
    named = set(re.findall(r"\b[A-Z]\d+[a-z]?\b", words))
    for first, last in re.findall(r"\b([A-Z]\d+) to ([A-Z]\d+)\b", words):
        named |= set(rules[rules.index(first) : rules.index(last) + 1])
    return named


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_every_rule_has_its_reason(path: Path) -> None:
    """In itself, or in another rule that names it before the colon."""
    rules = rules_of(path.read_text())
    explained: set[str] = set()
    for rule, text in rules.items():
        for words, _ in WHY.findall(text):
            explained |= named_in(words, list(rules)) or {rule}
    assert explained <= set(rules), explained - set(rules)
    assert [rule for rule in rules if rule not in explained] == []


def test_every_limit_has_its_reason() -> None:
    """More than the name says already: in the code beside the number, and so in limits.json."""
    listed = json.loads((SPECS / "limits.json").read_text())
    assert [one["name"] for one in listed if len(one["reason"].split()) < 4] == []
    assert [(one["name"], one["reason"]) for one in listed] == [
        (name, reason) for _, name, _, reason in spec_data.limit_rows()
    ]


def test_every_chapter_speaks_of_security() -> None:
    silent = [path.name for path in CHAPTERS if "## Security" not in path.read_text()]
    assert silent == ["08-clocks-limits-errors.md", "13-extending.md", "14-threats-privacy.md"]


def test_the_index_names_every_chapter_and_every_file_of_data() -> None:
    index = (SPECS / "README.md").read_text()
    files = [*CHAPTERS, *SPECS.glob("*.json"), *SPECS.glob("tables/*.json"), *SPECS.glob("cddl/*")]
    assert [path.name for path in files if str(path.relative_to(SPECS)) not in index] == []


def test_registries_are_whole() -> None:
    registered = set(code_of(REGISTRIES))
    assert set(KINDS) <= registered
    streams = {name.split("-")[0] for name in MESSAGES} - {"sealed", "review", "letter"}
    assert {f"/chargemesh/{one}/1" for one in streams} <= registered
    assert SCHEME in registered


def test_every_code_that_the_text_names_is_registered() -> None:
    registered = {one["code"] for one in json.loads((SPECS / "errors.json").read_text())}
    fields = {field for cls in shapes().values() for _, field, _, _ in keys_of(cls)}
    other = fields | set(KINDS) | {"request-expired", "slot-over", "key"}
    for path in CHAPTERS:
        for code in re.findall(r"\(`([a-z-]+)`[);,:]", path.read_text()):
            assert code in registered | other, f"{path.name}: {code}"


def test_every_code_is_named_in_a_chapter() -> None:
    registered = {one["code"] for one in json.loads((SPECS / "errors.json").read_text())}
    named = {code for path in CHAPTERS for code in code_of(path.read_text())}
    assert registered - named == set()


def test_limits_that_the_text_names_exist() -> None:
    listed = {name for _, name, _, _ in spec_data.limit_rows()}
    for path in CHAPTERS:
        for name in re.findall(r"`((?:MAX|MIN)_[A-Z_]+)`", path.read_text()):
            assert name in listed, f"{path.name}: {name}"


def test_data_files_are_what_the_code_has() -> None:
    currencies = json.loads((SPECS / "tables" / "currencies.json").read_text())
    assert {one["code"]: one["digits"] for one in currencies} == dict(CURRENCIES)
    pairs = json.loads((SPECS / "tables" / "booking-concurrent.json").read_text())
    assert len(pairs) == len(CONCURRENT)
    names = json.loads((SPECS / "tables" / "names.json").read_text())
    assert all(len(values) == len(set(values)) for values in names.values())
