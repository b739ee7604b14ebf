"""The folder in which a service's processes keep their figures for Prometheus: one for each run of the service."""

import os
import shutil
import tempfile
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "tripwire-metrics-"


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


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
