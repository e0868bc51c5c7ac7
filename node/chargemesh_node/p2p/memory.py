"""How much memory this process may have, and how much it has."""

from __future__ import annotations

import resource

PAGE_BYTES = resource.getpagesize()


def limit_memory(headroom_bytes: int) -> None:
    """Bounds the address space to what we have now and the headroom.

    A stranger who finds a way to make us allocate then ends this process, which comes back in
    seconds, and not the machine that runs the wallboxes. The limit is relative because what Python
    and its libraries map before the first connection differs by hundreds of MB between platforms.
    """
    mapped = _statm()[0]
    if mapped:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = mapped + headroom_bytes
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def resident_bytes() -> int:
    return _statm()[1]


def _statm() -> tuple[int, int]:
    """Mapped and resident bytes; (0, peak) where there is no /proc."""
    try:
        with open("/proc/self/statm") as statm:
            mapped, resident = statm.read().split()[:2]
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return 0, peak  # bytes on macOS
    return int(mapped) * PAGE_BYTES, int(resident) * PAGE_BYTES
