"""What a stranger on the local network sees by mDNS: the TXT records of libp2p's service, one JSON line each.

    python -m tests.e2e.browse ADDRESS SECONDS

It uses zeroconf as it comes, and nothing of ours.
"""

import json
import sys
import time

from zeroconf import ServiceBrowser, ServiceStateChange, Zeroconf

SERVICE = "_p2p._udp.local."


def tell(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
    info = zeroconf.get_service_info(service_type, name, timeout=3000)
    if info is not None:
        facts = {"name": name, "txt": (info.text or b"").hex(), "port": info.port}
        print(json.dumps(facts | {"addresses": info.parsed_addresses()}), flush=True)


if __name__ == "__main__":
    browser = ServiceBrowser(Zeroconf(interfaces=[sys.argv[1]]), SERVICE, handlers=[tell])
    time.sleep(float(sys.argv[2]))
