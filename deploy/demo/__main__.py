"""`python -m deploy.demo`: the tour. Status 0 where everything was as promised, 1 where something differed."""

import sys
import tempfile
import time
from pathlib import Path

import requests

from deploy.demo.show import Show, on_standard_output
from deploy.demo.stack import DemoStack
from deploy.demo.tour import Tour
from deploy.local.errors import CannotStart, StopRequested
from deploy.local.stopping import stop_requests


def main() -> int:
    show = on_standard_output()
    stop_requested = stop_requests()
    with tempfile.TemporaryDirectory(prefix="tripwire-demo-", ignore_cleanup_errors=True) as folder:
        try:
            return _run(show, DemoStack(Path(folder), stop_requested))
        except StopRequested:
            show.say("Stopped.")
        except CannotStart as error:
            print(error, file=sys.stderr)
    return 1


def _run(show: Show, stack: DemoStack) -> int:
    began = time.monotonic()
    show.title("Tripwire Sales Manager: a tour of a system of its own, everything in it real")
    try:
        stack.start()
        show.say(f"PostgreSQL, Redis, API, worker and a stand-in for Telegram: up in {time.monotonic() - began:.1f} s.")
        Tour(stack, show).walk()
    except (requests.RequestException, ValueError, KeyError) as error:
        show.see(f"the API did not answer as it should ({type(error).__name__})", expected=False)
    finally:
        stack.stop()
    show.say("")
    if show.differences:
        show.title(f"{len(show.differences)} of {show.seen} things differed from what is promised.")
        show.quote(["The last lines of the services:", *stack.last_lines])
        return 1
    show.title(f"All {show.seen} things were as promised, in {time.monotonic() - began:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
