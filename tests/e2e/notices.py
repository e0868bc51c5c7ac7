"""Where a node's notifications arrive: a webhook on loopback, and a command that writes them down."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .houses import eventually

# Reads one event and appends it as a line, in one write so that two at a time stay whole.
_COMMAND = "import os,sys; f=os.open(sys.argv[1],1025|64,384); os.write(f,sys.stdin.buffer.read()+b'\\n')"


class Mailbox:
    """What came by each way, oldest first. An event may come twice (see `notify`)."""

    def __init__(self, file: Path, url: str) -> None:
        self._file = file
        self.posted: list[dict[str, Any]] = []
        self.settings = {
            "NOTIFY_WEBHOOK": url,
            "NOTIFY_COMMAND": json.dumps([sys.executable, "-c", _COMMAND, str(file)]),
        }

    @property
    def written(self) -> list[dict[str, Any]]:
        if not self._file.exists():
            return []
        return [json.loads(line) for line in self._file.read_text().splitlines()]

    def brings(self, event: str, **facts: Any) -> dict[str, Any]:
        """The event with these facts, once both the webhook and the command have had it."""

        def found(among: list[dict[str, Any]]) -> dict[str, Any] | None:
            wanted = {"event": event, **facts}
            return next((one for one in among if wanted.items() <= one.items()), None)

        eventually(lambda: found(self.posted), f"the webhook gets {event}")
        notice = eventually(lambda: found(self.written), f"the command gets {event}")
        assert notice is not None
        return notice


@contextmanager
def mailbox(folder: Path) -> Iterator[Mailbox]:
    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            post.posted.append(json.loads(body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    post = Mailbox(folder / "notices.jsonl", f"http://127.0.0.1:{server.server_port}/a-secret-path")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield post
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
