"""A lost machine and a phone: a backup in a new home, and the page that needs a token."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from .conftest import Block
from .houses import House, eventually


@pytest.fixture
def passphrase(tmp_path: Path) -> str:
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery staple")
    return str(file)


def restored(block: Block, name: str, passphrase: str, tmp_path: Path, *flags: str) -> House:
    """Hanna's backup, unpacked into a home of that name; her own node goes on meanwhile."""
    file = tmp_path / "hanna.backup"
    block.hanna.says("backup", str(file), "--passphrase-file", passphrase)
    assert file.stat().st_mode & 0o777 == 0o600 and b"Hidden Lane" not in file.read_bytes()
    home = block.street.house(name)
    made = home.says("restore", str(file), "--passphrase-file", passphrase, *flags)
    assert made["read_only"] is not bool(flags)
    return home


def sequences(house: House) -> list[int]:
    """Of the listings of all its chargers."""
    ids = [one["id"] for one in house.api.get("chargers")["chargers"]]
    listings = [house.api.get(f"chargers/{one}")["listing"] for one in ids]
    return [one["sequence"] for one in listings if one]


def test_a_restored_node_signs_nothing_before_it_has_asked(
    block: Block, passphrase: str, tmp_path: Path
) -> None:
    block.hanna.lists("From before")
    new = restored(block, "new", passphrase, tmp_path)
    new.starts()
    new.is_up()
    assert new.says("id")["author"] == block.hanna.says("id")["author"]
    assert new.says("status")["read_only"] is True
    assert "From before" in new.reads("charger", "list")
    sick = new.call("doctor")
    assert sick.code == 1 and "restored" in sick.out and "chargemesh join LINK" in sick.out
    new.closes()
    asked = new.is_told("restore", "--force")
    assert asked.code == 2 and "will now sign others under the same numbers" in asked.sentence
    assert new.says("restore", "--force", "--yes")["lifted"] is True
    assert new.says("restore", "--force", "--yes")["lifted"] is False  # there is nothing to lift any more
    published = max(sequences(block.hanna))
    new.starts()
    new.is_up()
    assert new.says("status")["read_only"] is False
    assert min(sequences(new)) > published
    new.closes()


@pytest.mark.long
def test_a_restored_node_signs_again_once_a_peer_has_told_all_it_has(
    block: Block, passphrase: str, tmp_path: Path
) -> None:
    new = restored(block, "later", passphrase, tmp_path)
    new.starts()
    new.is_up()
    new.joins(block.dario)
    eventually(lambda: not new.says("status")["read_only"], "a peer was asked", within_s=60)
    new.closes()


def test_a_backup_is_useless_without_its_passphrase(block: Block, passphrase: str, tmp_path: Path) -> None:
    file = tmp_path / "hanna.backup"
    block.hanna.says("backup", str(file), "--passphrase-file", passphrase)
    again = block.hanna.is_told("backup", str(file), "--passphrase-file", passphrase)
    assert again.code == 2 and "exists already" in again.err
    wrong = tmp_path / "wrong"
    wrong.write_text("correct horse battery stable")
    thief = block.street.house("thief")
    said = thief.is_told("restore", str(file), "--passphrase-file", str(wrong))
    assert "passphrase" in said.err and not thief.home.root.exists()
    taken = block.dario.is_told("restore", str(file), "--passphrase-file", passphrase)
    assert taken.code == 2 and "never overwrites a node" in taken.err


def test_the_phone_page_shows_bookings_to_its_token_only(block: Block) -> None:
    booking = block.dario.books(_listed(block), "--from", "now", "--for", "1h")
    link = urlsplit(block.dario.says("phone", "darios-phone")["link"])
    token = link.fragment.removeprefix("token=")
    status, page, headers = ask(link.netloc, "/")
    assert status == 200 and b"<html" in page and b"Hidden Lane" not in page
    assert "default-src 'none'" in headers["content-security-policy"]
    for wanted in ("/v1/bookings", f"/v1/bookings/{booking}"):
        assert ask(link.netloc, wanted)[0] == 401
        assert ask(link.netloc, wanted, token=token[:-2] + "xx")[0] == 401
        assert ask(link.netloc, wanted, token=token, host="evil.example")[0] == 403
        assert ask(link.netloc, wanted, token=token, origin="http://evil.example")[0] == 403
        assert ask(link.netloc, wanted, token=token)[0] == 200
    view = json.loads(ask(link.netloc, f"/v1/bookings/{booking}", token=token)[1])
    assert view["access"]["address"] == "12 Hidden Lane, Berlin"
    refused = ask(link.netloc, "/v1/stop", token=token, method="POST")
    assert refused[0] == 403 and b"look after bookings" in refused[1]


def _listed(block: Block) -> str:
    block.hanna.lists("By phone")
    return "By phone"


def ask(
    netloc: str, path: str, *, token: str = "", host: str = "", origin: str = "", method: str = "GET"
) -> tuple[int, bytes, Any]:
    """One request as a browser, or a page in it, would make it."""
    connection = http.client.HTTPConnection(netloc, timeout=10)
    headers = {"Host": host or netloc}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Origin": origin} if origin else {}
    connection.request(method, path, headers=headers)
    with connection.getresponse() as response:
        return response.status, response.read(), {key.lower(): value for key, value in response.getheaders()}
