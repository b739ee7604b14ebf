"""Which API processes obey the mode's version, and which are late. Pure."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from tripwire_admin_ui.presenters.formatting import duration
from tripwire_shared.answers.system import ApiProcess, ModeReport

LATE_AFTER = 5.0  # seconds after the switch; nearly all follow within one
FRESH_FOR = 120.0  # a receipt that came later is of a process started since, no receipt of the switch
NAMED = 5  # groups of laggards that are named; more are counted


@dataclass(frozen=True)
class Receipts:
    """`note` is what the meter says at its right: how long it took, or how long it has been."""

    done: int
    total: int
    version: int
    note: str
    late: bool
    laggards: tuple[str, ...]
    unnamed: int

    @property
    def complete(self) -> bool:
        return self.done == self.total


def receipts(mode: ModeReport, now: datetime) -> Receipts:
    since = (now - mode.changed_at).total_seconds()
    groups = _groups(mode.behind)
    return Receipts(
        done=len(mode.confirmed),
        total=len(mode.processes),
        version=mode.version,
        note=_note(mode, since),
        late=bool(mode.behind) and since > LATE_AFTER,
        laggards=groups[:NAMED],
        unnamed=len(groups[NAMED:]),
    )


def _note(mode: ModeReport, since: float) -> str:
    if mode.behind:
        return f"{duration(max(since, 0))} after the switch"
    times = [process.applied_at for process in mode.processes]
    if not times or mode.changed_by is None:
        return ""  # nobody has switched yet: there is nothing that they followed
    after = (max(times) - mode.changed_at).total_seconds()
    return f"last one after {duration(after)}" if 0 <= after < FRESH_FOR else ""


def _groups(behind: tuple[ApiProcess, ...]) -> tuple[str, ...]:
    """`app-2, processes 4127 and 4131, still on version 9`, one for each host and version."""

    def place(process: ApiProcess) -> tuple[str, str, int]:
        return process.service, process.host, process.version

    return tuple(
        _group(service, host, version, [str(process.pid) for process in processes])
        for (service, host, version), processes in groupby(sorted(behind, key=lambda one: (place(one), one.pid)), place)
    )


def _group(service: str, host: str, version: int, pids: list[str]) -> str:
    named = pids[0] if len(pids) == 1 else f"{', '.join(pids[:-1])} and {pids[-1]}"
    return f"{service} on {host}, {'process' if len(pids) == 1 else 'processes'} {named}, still on version {version}"
