"""Libraries that py-libp2p imports and an idle node never uses, loaded when something is asked of them.

Its client for ACME certificates alone brings httpx and requests with all that belongs to them: 11 MB and a
quarter of a second in every network process. (`importlib.util.LazyLoader` can't do it: an `import` statement
looks at the module's `__spec__`, and with that it loads.)
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

# Of libp2p.security.tls.autotls and libp2p.observability.oso: certificates by others, telemetry for them.
SELDOM_USED = ("httpx", "requests")


def load_when_used(*names: str) -> None:
    """From now on `import NAME` gives a stand-in for it; a module that is loaded already stays as it is."""
    for name in names:
        sys.modules.setdefault(name, _StandIn(name))


class _StandIn(ModuleType):
    """Has no attribute of its own, so that every look-up ends up in `__getattr__`."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") and attribute != "__path__":  # what `import` itself looks at
            raise AttributeError(attribute)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), attribute)
