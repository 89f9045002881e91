"""How much memory the process may use before it is killed."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def memory_limit_bytes(cgroup: Path = _CGROUP, membership: Path = Path("/proc/self/cgroup")) -> int:
    """Return the tightest limit of the process's control groups (v2 or v1), else the machine's memory."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [_number(cgroup / "memory.max"), _number(cgroup / "memory" / "memory.limit_in_bytes")]
    try:
        # v2 has one line "0::/path"; on a host (not in a container) the limit is set on that path or above it
        path = membership.read_text().strip().rpartition("::")[2].strip("/")
    except OSError:
        path = ""
    inner = cgroup / path
    while path and inner != cgroup and inner.is_relative_to(cgroup):
        limits.append(_number(inner / "memory.max"))
        inner = inner.parent
    return min([machine, *(limit for limit in limits if limit is not None)])


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # absent, or "max"
        return None
