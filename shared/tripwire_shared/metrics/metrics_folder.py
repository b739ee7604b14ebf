"""The folder in which a service's processes keep their figures for Prometheus: one for each run of the service."""

import fcntl
import mmap
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tripwire_shared.logs import get_logger
from tripwire_shared.timings import METRICS_LOCK_LIMIT, METRICS_LOCK_POLL

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "tripwire-metrics-"
# What is summed over processes, the dead included. Gauges are of the living alone.
_SUMMED = ("counter", "histogram", "summary")
# In place of a process id: the file that holds what the dead counted.
_DEAD = "dead"


class FolderBusy(Exception):
    """Others hold the folder of figures for too long."""


def make_metrics_folder() -> Path:
    """Makes an empty one and names it to this process and its children.

    Call it before anything imports prometheus_client, which decides at its import whether figures are kept in files.
    What killed services left behind is removed: the name tells whose a folder is. (In a container the one before had
    the same process id.)
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and (int(owner) == os.getpid() or not _runs(int(owner))):
            shutil.rmtree(left, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")
    os.environ[VARIABLE] = folder
    return Path(folder)


def remove_metrics_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def merge_dead(pid: int) -> None:
    """Adds what an ended process counted to one file for all the dead, so that the folder and a scrape stay small
    however many processes come and go. Called by their parent; what an earlier call had to leave is done too.

    Does not raise: what cannot be merged stays as it is, and the sums stay right.
    """
    from prometheus_client.multiprocess import mark_process_dead  # not before make_metrics_folder()

    folder = Path(os.environ[VARIABLE])
    try:
        with hold_folder(folder, exclusively=True):
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
            for kind in _SUMMED:
                _merge(kind, folder, pid)
    except (OSError, FolderBusy) as error:
        get_logger(__name__).warning("figures of a dead process were not merged", pid=pid, error=str(error))


@contextmanager
def hold_folder(folder: Path, *, exclusively: bool) -> Iterator[None]:
    """Whoever reads all files of the folder shares it, and who replaces some by another has it alone: so nobody counts
    what is in both or in neither. The lock of a process that dies is free. Raises FolderBusy."""
    kind = fcntl.LOCK_EX if exclusively else fcntl.LOCK_SH
    give_up_at = time.monotonic() + METRICS_LOCK_LIMIT
    with (folder / "lock").open("ab") as file:
        while True:
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up_at:
                    raise FolderBusy(FolderBusy.__doc__) from None
                time.sleep(METRICS_LOCK_POLL)
        yield


def _merge(kind: str, folder: Path, pid: int) -> None:
    of_the_dead = folder / f"{kind}_{_DEAD}.db"
    ended = [file for file in folder.glob(f"{kind}_*.db") if _is_of_ended(file, pid)]
    if not ended:
        return
    sums: dict[str, float] = {}
    for file in [*ended, of_the_dead]:
        for key, value in _values(file):
            sums[key] = sums.get(key, 0.0) + value
    _write(of_the_dead, sums)
    for file in ended:
        file.unlink()


def _is_of_ended(file: Path, pid: int) -> bool:
    owner = file.stem.rpartition("_")[2]
    return owner.isdigit() and (int(owner) == pid or not _runs(int(owner)))


def _values(file: Path) -> Iterator[tuple[str, float]]:
    """What a process counted; nothing where it died before it had counted anything."""
    from prometheus_client.mmap_dict import MmapedDict

    if file.exists() and file.stat().st_size > 0:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(file):  # type: ignore[no-untyped-call]
            yield key, value


def _write(file: Path, sums: dict[str, float]) -> None:
    """Beside it first: a full disk must leave the old one whole. The room is taken before it is mapped into memory,
    since a write into a mapping that finds no room kills the process."""
    from prometheus_client.mmap_dict import MmapedDict

    entry = 64  # bytes beside its key, more than an entry takes
    room = mmap.PAGESIZE + sum(entry + len(key.encode()) for key in sums)
    new = file.with_suffix(".new")
    try:
        with new.open("wb") as made:
            os.posix_fallocate(made.fileno(), 0, room)
        merged = MmapedDict(str(new))  # type: ignore[no-untyped-call]
        for key, value in sums.items():
            merged.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
        merged.close()  # type: ignore[no-untyped-call]
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
