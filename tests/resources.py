"""The parts of a process in the test's own: built by the root of its service, at hand by their names."""

from typing import Any

from tripwire_api.parts import ApiParts, build_api
from tripwire_shared.core import Core
from tripwire_shared.settings import Settings
from tripwire_worker.sweep_parts import SweepParts, build_sweep
from tripwire_worker.worker_parts import build_worker


class Resources:
    """`resources.database`, `resources.mails`: the root's own parts, those of its core and of its delivery."""

    def __init__(self, parts: ApiParts | SweepParts | Core) -> None:
        self.parts = parts

    def __getattr__(self, name: str) -> Any:
        core = getattr(self.parts, "core", self.parts)
        for holder in (self.parts, core, getattr(self.parts, "delivery", None)):
            if hasattr(holder, name):
                return getattr(holder, name)
        raise AttributeError(f"{type(self.parts).__name__} has no {name}")

    def stop(self) -> None:
        self.database.close() if isinstance(self.parts, Core) else self.parts.stop()


def build_resources(settings: Settings, *, service: str) -> Resources:
    """As a process of `service` ("api", "worker", "sweep") has them; nothing is started yet."""
    return Resources({"api": build_api, "worker": build_worker, "sweep": build_sweep}[service](settings))
