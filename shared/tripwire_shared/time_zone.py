"""Names of time zones, as the operator and callers give them. Pure, but that the zones of this machine are read."""

import re
from functools import cache
from zoneinfo import available_timezones

# PostgreSQL knows these too; what else Python finds on some machines (localtime, Factory) it may not.
_IANA = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")
_NO_ZONE = frozenset({"Factory"})


def time_zone_problem(name: str) -> str | None:
    return None if name in _known() else "Must be the name of a time zone, such as Asia/Almaty or UTC."


@cache
def _known() -> frozenset[str]:
    """Read once: it looks at hundreds of files."""
    return frozenset(name for name in available_timezones() if _IANA.fullmatch(name)) - _NO_ZONE
