"""What an idle node never uses is not in its memory, and is there all the same when somebody asks for it."""

from __future__ import annotations

import subprocess
import sys

START = "import sys; from chargemesh_node.p2p.when_used import SELDOM_USED, load_when_used; "


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_network_process_starts_without_the_client_of_certificate_authorities() -> None:
    heavy = ("httpx._client", "requests.api", "urllib3", "charset_normalizer", "rich", "pygments")
    code = "load_when_used(*SELDOM_USED); import chargemesh_node.p2p.process; "
    assert run(START + code + f"print([one for one in {heavy} if one in sys.modules])") == "[]"


def test_the_node_starts_without_what_only_a_webhook_needs() -> None:
    heavy = ("httpx", "rich", "pygments")
    assert (
        run(f"import sys, chargemesh_node.app; print([one for one in {heavy} if one in sys.modules])") == "[]"
    )


def test_a_library_that_is_asked_for_something_is_the_real_one() -> None:
    code = (
        "load_when_used(*SELDOM_USED); import httpx, requests; assert 'httpx._client' not in sys.modules; "
        "from libp2p.security.tls.autotls import acme; assert acme.httpx is httpx; "
        "assert acme.httpx.AsyncClient is sys.modules['httpx'].AsyncClient; "
        "assert acme.requests.get.__module__ == 'requests.api'; "
        "import requests.exceptions; from httpx import HTTPError; print(HTTPError.__name__)"
    )
    assert run(START + code) == "HTTPError"


def test_a_module_of_a_package_can_be_the_first_thing_asked_for() -> None:
    code = (
        "load_when_used('requests'); import requests.adapters; print(requests.adapters.HTTPAdapter.__name__)"
    )
    assert run(START + code) == "HTTPAdapter"


def test_what_is_loaded_already_stays() -> None:
    assert (
        run(START + "import json; load_when_used('json'); import json as again; print(again is json)")
        == "True"
    )


def test_an_attribute_that_the_library_has_not_is_an_error_as_ever() -> None:
    code = "load_when_used('requests'); import requests; print(hasattr(requests, 'no_such_thing'))"
    assert run(START + code) == "False"
