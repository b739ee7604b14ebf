"""The memory that processes take. PSS: a page that several processes share is divided among them."""

import psutil

from deploy.local.child import Child
from tests.bench import targets
from tests.bench.report import Figure, Report


def tree_mib(leader: int) -> list[float]:
    """The PSS of a process and of each of its descendants, in MiB."""
    root = psutil.Process(leader)
    return [one.memory_full_info().pss / 2**20 for one in (root, *root.children(recursive=True))]


def measure(api: Child, worker: Child, report: Report) -> None:
    in_api, in_worker = tree_mib(api.pid), tree_mib(worker.pid)
    report.add(
        "Memory after that (PSS)",
        Figure("API, the largest of its processes", max(in_api), "MiB"),
        Figure(f"API, all {len(in_api)}", sum(in_api), "MiB"),
        Figure("worker service, the largest of its processes", max(in_worker), "MiB"),
        Figure(f"worker service, all {len(in_worker)}", sum(in_worker), "MiB"),
        Figure("API and worker service", sum(in_api + in_worker), "MiB", at_most=targets.MEMORY_MIB),
    )
