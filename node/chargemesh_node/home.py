"""The home folder of a node: where each file lives, who may read it, and that only one `run` uses it.

    config.toml            settings, kept by a person
    node.db  cache.db      bookings and own log; others' listings and logs (disposable)
    keys/                  seeds, 0600 each (keystore.py)
    run/                   what exists only while the node runs: lock, API socket, port and token
    ports.json             ports that were chosen once and are kept (kept_ports.py)
    logs/                  what the node wrote about itself
    restored.json          present until a restored node signs again (backup.py)

The folder and those in it are 0700, files with secrets 0600. Looser modes are refused, not repaired:
whoever could read a key before has read it, and a person should know.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from chargemesh_protocol.errors import ExitCode, PersonError

from .disk import disk_told, disk_trouble

HOME_VARIABLE = "CHARGEMESH_HOME"
# sun_path holds 108 bytes on Linux and 104 on macOS, with the closing zero.
MAX_SOCKET_PATH_BYTES = 103
_LOCK_TRIES = 25
_LOCK_RETRY_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Home:
    """Paths inside one home folder; nothing here touches the disk unless it says so."""

    root: Path

    @property
    def config_file(self) -> Path:
        return self.root / "config.toml"

    @property
    def node_db(self) -> Path:
        return self.root / "node.db"

    @property
    def cache_db(self) -> Path:
        return self.root / "cache.db"

    @property
    def mailbox_db(self) -> Path:
        """Sealed parcels of others, if this node keeps a mailbox."""
        return self.root / "mailbox.db"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def log_file(self) -> Path:
        return self.logs / "node.log"

    @property
    def lock_file(self) -> Path:
        return self.run / "lock"

    @property
    def api_socket(self) -> Path:
        return self.run / "api.sock"

    @property
    def api_port_file(self) -> Path:
        """Holds `HOST:PORT` of the API while the node runs."""
        return self.run / "api.port"

    @property
    def api_token_file(self) -> Path:
        return self.run / "api.token"

    @property
    def restored_flag(self) -> Path:
        return self.root / "restored.json"

    @property
    def ports_file(self) -> Path:
        return self.root / "ports.json"

    @property
    def socket_path_fits(self) -> bool:
        """Whether the system can name the API's unix socket; if not, only loopback TCP is served."""
        return len(os.fsencode(self.api_socket)) <= MAX_SOCKET_PATH_BYTES

    @property
    def is_initialised(self) -> bool:
        """Whether `init` or `restore` was here: the keys folder is the last thing both write."""
        return self.keys.is_dir()

    def create(self) -> None:
        """Make the folders that are missing and check all of them; PersonError if others can read them."""
        for folder in (self.root, self.run, self.logs):
            make_private_folder(folder)
        self.check_private()

    def check_private(self) -> None:
        """PersonError unless home, keys/ and run/ are folders of ours that nobody else can enter."""
        for folder in (self.root, self.keys, self.run):
            if os.path.lexists(folder):
                check_private_folder(folder)

    def require_initialised(self) -> None:
        if not self.is_initialised:
            raise PersonError(
                "no-home",
                f"There is no chargemesh node in {self.root}.",
                "Run `chargemesh init` first, or name another folder with --home.",
                ExitCode.NOT_FOUND,
            )


def locate_home(flag: str | Path | None, environ: Mapping[str, str]) -> Home:
    """The home named by `--home`, else by CHARGEMESH_HOME, else the user's data folder of this system."""
    chosen = flag or environ.get(HOME_VARIABLE) or platformdirs.user_data_dir("chargemesh", appauthor=False)
    return Home(Path(os.path.abspath(Path(chosen).expanduser())))


def make_private_folder(folder: Path) -> None:
    """Create `folder` with mode 0700; an existing one is left as it is (check_private_folder judges it)."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise PersonError(
                "not-a-folder",
                f"{folder} is in the way: a folder must stand there.",
                "Move that file, or choose another folder with --home.",
            ) from None
    except OSError as error:
        trouble = disk_trouble(error)
        if trouble is not None:
            raise trouble.told(folder) from error
        raise PersonError(
            "cannot-create",
            f"Cannot create {folder}: {error.strerror}.",
            "Choose a folder that you can write to with --home.",
            ExitCode.NOT_ALLOWED,
        ) from error


def check_private_folder(folder: Path) -> None:
    """PersonError unless `folder` is a folder of this user's with no access for anybody else."""
    status = os.stat(folder)
    if not stat.S_ISDIR(status.st_mode):
        raise PersonError("not-a-folder", f"{folder} must be a folder.", "Move that file away.")
    _refuse_if_open_to_others(folder, status, "700")


def read_private_file(path: Path, max_bytes: int) -> bytes:
    """The content of a file with secrets; PersonError if others can read it or it is over `max_bytes`.

    A symbolic link is refused: the check must be about the file that is read. FileNotFoundError passes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise PersonError(
            "cannot-read",
            f"Cannot read {path}: {error.strerror}.",
            "It must be a plain file of your own, not a link.",
            ExitCode.NOT_ALLOWED,
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise PersonError("not-a-file", f"{path} must be a plain file.", "Move it away.")
        _refuse_if_open_to_others(path, status, "600")
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise PersonError(
            "file-too-large", f"{path} is larger than {max_bytes} bytes: it is not ours.", "Move it away."
        )
    return content


def write_new_private_file(path: Path, content: bytes) -> None:
    """Create `path` (0600, never over an existing file) so that it survives a power cut, or not at all.

    PersonError where the disk refuses. Other OSErrors pass, FileExistsError above all: to overwrite a key is
    never an accident that we take part in.
    """
    with disk_told(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(path.parent)
        except BaseException:
            path.unlink(missing_ok=True)  # half a key would be in the way of a whole one
            raise


def replace_private_file(path: Path, content: bytes) -> None:
    """Write `path` (0600) in one step: a reader or a power cut sees the old or the new content.

    PersonError where the disk refuses; then the old content stands.
    """
    fresh = path.with_name(f".{path.name}.new")
    with disk_told(path):
        fresh.unlink(missing_ok=True)
        write_new_private_file(fresh, content)
        os.replace(fresh, path)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a created or renamed entry of `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class HomeLock:
    """The right to run a node on a home; the system takes it back when the process dies, however it dies.

    A child that was forked without exec would inherit the lock: the node only starts fresh programs.
    """

    def __init__(self, home: Home) -> None:
        self._path = home.lock_file
        self._root = home.root
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; PersonError naming the process that has it, or where the disk refuses."""
        with disk_told(self._path):
            self._acquire()

    def _acquire(self) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _lock(self, descriptor: int) -> None:
        # `running_pid` holds the lock for an instant; only a lock beside a living pid is a node's.
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if _is_alive(_read_pid(descriptor)):
                    break
                time.sleep(_LOCK_RETRY_SECONDS)
            except OSError as error:
                raise PersonError(
                    "cannot-lock",
                    f"Cannot lock {self._path}: {error.strerror}.",
                    "Put the home on a local disk with --home.",
                ) from error
        raise PersonError(
            "already-running",
            f"A node already runs on {self._root} (process {_read_pid(descriptor) or 'unknown'}).",
            "Stop it with `chargemesh stop`, or use another folder with --home.",
        )

    def release(self) -> None:
        """Give the lock back; the file stays, since to unlink it could split the lock in two."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> HomeLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def running_pid(home: Home) -> int | None:
    """The process id of the node that runs on `home`, or None if none does."""
    try:
        descriptor = os.open(home.lock_file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_pid(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _read_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None


def _is_alive(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _refuse_if_open_to_others(path: Path, status: os.stat_result, mode: str) -> None:
    if status.st_uid != os.geteuid():
        raise PersonError(
            "foreign-owner",
            f"{path} belongs to another user (uid {status.st_uid}).",
            "Run as that user, or choose another folder with --home.",
            ExitCode.NOT_ALLOWED,
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise PersonError(
            "loose-permissions",
            f"Other users can reach {path} (mode {stat.S_IMODE(status.st_mode):04o}).",
            f"Run `chmod {mode} {path}`, and if the machine is shared, make new keys.",
            ExitCode.NOT_ALLOWED,
        )
