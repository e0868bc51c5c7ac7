"""The process that fetches and reads one calendar: a question on its input, an answer on its output.

    {"source", "zone", "start", "end"}  ->  {"times": [[from, to], …], "skipped": n}  or  {"fault": "…"}

A calendar comes from a server or a program of somebody else. Whatever it does to its reader (endless, huge,
made to be slow) it does to this process alone, which is bounded and can be ended.
"""

from __future__ import annotations

import json
import os
import resource
import stat
import sys
from typing import Any
from urllib.parse import urljoin, urlsplit

from chargemesh_protocol.limits import MAX_ICS_BYTES, MAX_ICS_REDIRECTS, MAX_ICS_SECONDS

_MEMORY_BYTES = 1024**3
_TOO_LARGE = f"it has more than {MAX_ICS_BYTES // 2**20} MB"


def main() -> None:
    _bound()
    question = json.load(sys.stdin)
    json.dump(answer(question), sys.stdout)


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What became of one question."""
    from .busy_times import Unreadable, busy_times

    try:
        data = fetch(question["source"])
        times, skipped = busy_times(data, question["zone"], question["start"], question["end"])
    except Unreadable as error:
        return {"fault": str(error)}
    except (MemoryError, RecursionError):
        return {"fault": "it needs more memory than a calendar should"}
    return {"times": times, "skipped": skipped}


def fetch(source: str) -> bytes:
    """The bytes at a URL or in a file; Unreadable with a reason that repeats no path: it may be a secret."""
    scheme = source.partition(":")[0].lower()
    return _download(source) if scheme in ("http", "https", "webcal") else _read_file(source)


def _read_file(path: str) -> bytes:
    from .busy_times import Unreadable

    try:
        # A pipe would keep us waiting for whoever writes to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable("it is no file")
            data = file.read(MAX_ICS_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no such name"
        raise Unreadable(f"the file can't be read ({reason})") from None
    if len(data) > MAX_ICS_BYTES:
        raise Unreadable(_TOO_LARGE)
    return data


def _download(url: str) -> bytes:
    import httpx

    from .busy_times import Unreadable

    url = _plain(url)
    # What was written is where it goes: no proxy or netrc of the environment. Not compressed: a few bytes
    # could otherwise be any number.
    headers = {
        "Accept": "text/calendar, */*;q=0.1",
        "Accept-Encoding": "identity",
        "User-Agent": "chargemesh",
    }
    with httpx.Client(trust_env=False, timeout=MAX_ICS_SECONDS, headers=headers) as client:
        for _ in range(MAX_ICS_REDIRECTS + 1):
            shown = urlsplit(url).hostname or "it"
            try:
                with client.stream("GET", url) as response:
                    if response.is_redirect:
                        url = _followed(url, response.headers.get("location", ""))
                        continue
                    if response.status_code != httpx.codes.OK:
                        raise Unreadable(f"{shown} answered {response.status_code}")
                    if response.headers.get("content-encoding", "identity") != "identity":
                        raise Unreadable(f"{shown} sent it compressed, though asked not to")
                    return _bounded(response)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise Unreadable(f"{shown} could not be reached ({type(error).__name__})") from None
    raise Unreadable("it was forwarded too often")


def _bounded(response: Any) -> bytes:
    from .busy_times import Unreadable

    data = bytearray()
    for piece in response.iter_raw():
        data += piece
        if len(data) > MAX_ICS_BYTES:
            raise Unreadable(_TOO_LARGE)
    return bytes(data)


def _plain(url: str) -> str:
    return "https" + url[len("webcal") :] if url.lower().startswith("webcal:") else url


def _followed(url: str, location: str) -> str:
    """Where a redirect leads; never from https to what others can read."""
    from .busy_times import Unreadable

    after = _plain(urljoin(url, location))
    schemes = urlsplit(url).scheme, urlsplit(after).scheme
    if not location or schemes[1] not in ("http", "https") or schemes == ("https", "http"):
        raise Unreadable("it was forwarded to where this node does not go")
    return after


def _bound() -> None:
    """Time of the processor, memory, and nothing written anywhere."""
    for what, most in (
        (resource.RLIMIT_CPU, MAX_ICS_SECONDS),
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):
            continue  # not every system has each; the parent ends us in time all the same


if __name__ == "__main__":
    main()
