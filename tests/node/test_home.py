"""The home folder: where it is, that nobody else can read it, and that one process runs on it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chargemesh_node.home import (
    Home,
    HomeLock,
    locate_home,
    read_private_file,
    replace_private_file,
    running_pid,
    write_new_private_file,
)
from chargemesh_protocol.errors import ExitCode, PersonError

HOLD_LOCK = """
import sys
from pathlib import Path
from chargemesh_node.home import Home, HomeLock
with HomeLock(Home(Path(sys.argv[1]))):
    print("locked", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    return made


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_flag_wins_over_the_environment_and_the_default(tmp_path: Path) -> None:
    environ = {"CHARGEMESH_HOME": str(tmp_path / "env")}
    assert locate_home(tmp_path / "flag", environ).root == tmp_path / "flag"
    assert locate_home(None, environ).root == tmp_path / "env"
    assert locate_home(None, {}).root.name == "chargemesh"


def test_a_relative_home_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate_home("here", {}).root == tmp_path / "here"


def test_folders_are_made_for_their_owner_alone(home: Home) -> None:
    for folder in (home.root, home.run, home.logs):
        assert mode_of(folder) == 0o700
    home.create()  # a second time changes nothing


def test_an_open_home_is_refused_with_the_command_that_helps(home: Home) -> None:
    home.root.chmod(0o755)
    with pytest.raises(PersonError) as caught:
        home.check_private()
    assert caught.value.code == "loose-permissions"
    assert caught.value.exit_code == ExitCode.NOT_ALLOWED
    assert f"chmod 700 {home.root}" in caught.value.hint


def test_a_file_where_the_home_should_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    with pytest.raises(PersonError, match="in the way"):
        Home(tmp_path / "home").create()


def test_a_home_without_keys_asks_for_init(home: Home) -> None:
    with pytest.raises(PersonError) as caught:
        home.require_initialised()
    assert caught.value.exit_code == ExitCode.NOT_FOUND
    assert "chargemesh init" in caught.value.hint


def test_a_long_home_has_no_socket(tmp_path: Path) -> None:
    assert Home(Path("/tmp/h")).socket_path_fits
    assert not Home(tmp_path / ("x" * 120)).socket_path_fits


def test_private_files_are_0600_and_never_overwritten(home: Home) -> None:
    path = home.root / "secret"
    old = os.umask(0)
    try:
        write_new_private_file(path, b"one")
    finally:
        os.umask(old)
    assert mode_of(path) == 0o600
    with pytest.raises(FileExistsError):
        write_new_private_file(path, b"two")
    assert read_private_file(path, 10) == b"one"
    replace_private_file(path, b"three")
    assert read_private_file(path, 10) == b"three"
    assert mode_of(path) == 0o600
    with pytest.raises(PersonError, match="larger than 4"):
        read_private_file(path, 4)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_can_reach_is_refused(home: Home, mode: int) -> None:
    path = home.root / "secret"
    write_new_private_file(path, b"one")
    path.chmod(mode)
    with pytest.raises(PersonError, match="Other users can reach"):
        read_private_file(path, 10)


def test_a_link_in_place_of_a_secret_is_refused(home: Home) -> None:
    write_new_private_file(home.root / "real", b"one")
    (home.root / "link").symlink_to(home.root / "real")
    with pytest.raises(PersonError, match="Cannot read"):
        read_private_file(home.root / "link", 10)


def test_a_second_node_is_refused_and_told_who_runs(home: Home) -> None:
    assert running_pid(home) is None
    with HomeLock(home):
        assert running_pid(home) == os.getpid()
        with pytest.raises(PersonError) as caught:
            HomeLock(home).acquire()
        assert caught.value.code == "already-running"
        assert str(os.getpid()) in caught.value.message
        assert "chargemesh stop" in caught.value.hint
    assert running_pid(home) is None
    with HomeLock(home):
        pass


def test_a_killed_node_leaves_no_lock_behind(home: Home) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(home.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"locked\n"
        assert running_pid(home) == holder.pid
        with pytest.raises(PersonError, match=str(holder.pid)):
            HomeLock(home).acquire()
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert running_pid(home) is None
    with HomeLock(home):
        assert running_pid(home) == os.getpid()
