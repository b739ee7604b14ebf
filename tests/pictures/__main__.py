"""`make pictures`: every page, light, dark and on a phone, into docs/pictures/.

Those that tell of the system are of the real services, with a day's load and an outage (`real_day.py`); states in which
those cannot be held are of made-up answers (`made_up.py`).

`python -m tests.pictures dashboard system-health-outage` takes those alone; `--into FOLDER` puts them elsewhere.
"""

import argparse
import shutil
import sys
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.admin_ui.stand_in_api import PASSWORD, StandInApi
from tests.admin_ui.stand_in_records import TIMUR, uid
from tests.browser.conftest import FLAGS
from tests.pictures.made_up import first_day, ordinary_day
from tests.pictures.made_up_records import (
    a_bumpy_request,
    a_failed_request,
    a_managers_day,
    a_queue,
    a_whole_customer,
    no_redis,
    two_tokens,
)
from tests.pictures.real_day import real_day
from tests.stack import ADMIN_EMAIL
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.app import create_app
from tripwire_shared.settings import load_settings

DOCS = Path(__file__).resolve().parents[2] / "docs" / "pictures"
HEALTH = "/admin/system-health"
LARGEST = 150 * 1024
TALLEST = 4000  # px of a page; what is below is cut off
SHAPES = {"light": (1280, "light"), "dark": (1280, "dark"), "phone": (390, "light"), "phone-dark": (390, "dark")}
ALL = ("light", "dark", "phone")


def nothing(_: Any) -> None:
    """No further step."""


def api_away(page: Any) -> None:
    page.context.api.stop()
    page.clock.run_for(100_000)
    page.wait_for_selector("body.stale")


def open_dialog(page: Any) -> None:
    page.click("a[data-switch]")
    page.wait_for_selector("dialog[open]")
    page.keyboard.type("Redis restarts at 14:30")


def retry_under_way(page: Any) -> None:
    """Held at the first batch: the next one is not answered."""
    page.context.api.records.retries = 1
    ask_to_retry(page)
    batches: list[Any] = []

    def answer_the_first(route: Any) -> None:
        batches.append(route)
        if len(batches) == 1:
            route.continue_()

    page.route("**/admin/requests/retry", answer_the_first)
    page.click("#dialog button.primary")
    page.wait_for_selector("dialog >> text=1 of 2 queued for retry")


def fill_in_a_known_one(page: Any) -> None:
    page.fill("[name=email]", "hana@example.com")
    page.fill("[name=full_name]", "Hana W.")
    page.press("[name=full_name]", "Enter")
    page.wait_for_selector(".field-error")


def open_keys(page: Any) -> None:
    page.keyboard.press("?")
    page.wait_for_selector("#shortcuts[open]")


def retry_one(page: Any) -> None:
    page.click(".failed-note button")
    page.wait_for_selector("#notice-words")


def ask_to_retry(page: Any) -> None:
    page.click("text=Retry all")
    page.wait_for_selector("dialog[open]")


def ask_to_erase(page: Any) -> None:
    page.click("text=Erase personal data")
    page.wait_for_selector("dialog[open]")
    page.evaluate("scrollTo(0, 0)")


def make_a_token(page: Any) -> None:
    page.click("text=Create token")
    page.fill("[name=name]", "CRM import")
    page.press("[name=name]", "Enter")
    page.wait_for_selector("#made-token")


@dataclass(frozen=True)
class Picture:
    """One page in one state: `prepare` sets the made-up data, `then` is done on the page.

    `whole` or the first screen; `redis` is what the Queue page looks into; `real` is the state of the real services in
    which it is taken (day, outage, direct), empty for made-up answers.
    """

    name: str
    path: str
    prepare: Callable[[StandInApi], None] = nothing
    then: Callable[[Any], None] = nothing
    shapes: tuple[str, ...] = ALL
    whole: bool = True
    who: str = "dana@example.com"
    redis: Callable[[], AbstractContextManager[str]] = no_redis
    real: str = ""


PICTURES = (
    Picture("sign-in", "/login", shapes=("light", "dark", "phone"), whole=False, who=""),
    Picture("dashboard", "/admin", real="day"),
    Picture("system-health", HEALTH, real="day"),
    Picture("system-health-day", f"{HEALTH}?window=24h", shapes=("light",), real="day"),
    Picture("system-health-outage", HEALTH, shapes=("light", "phone-dark"), real="outage"),
    Picture("system-health-direct", HEALTH, shapes=("light",), real="direct"),
    Picture("system-health-dialog", HEALTH, then=open_dialog, shapes=("light", "dark", "phone"), whole=False),
    Picture("system-health-api-away", HEALTH, then=api_away, shapes=("light",)),
    Picture("system-health-first-day", HEALTH, first_day, shapes=("light",)),
    Picture("incidents", f"{HEALTH}/incidents", shapes=("light",), real="day"),
    Picture("deploys", f"{HEALTH}/deploys", shapes=("light",), real="day"),
    Picture("requests", "/admin/requests", real="day"),
    Picture("requests-retry-all", "/admin/requests", then=ask_to_retry, shapes=("light",), whole=False),
    Picture("request", f"/admin/requests/{uid(0xA11A)}", a_bumpy_request),
    Picture("request-failed", f"/admin/requests/{uid(0xBE4)}", a_failed_request, shapes=("light", "phone")),
    Picture("customers", "/admin/customers", real="day"),
    Picture("customer", f"/admin/customers/{uid(0xC0)}", a_whole_customer),
    Picture("customer-erase", f"/admin/customers/{uid(0xC0)}", a_whole_customer, ask_to_erase, ("light",), False),
    Picture("staff", f"/admin/staff/{TIMUR['id']}", real="day"),
    Picture("staff-token-once", f"/admin/staff/{TIMUR['id']}", two_tokens, make_a_token),
    Picture("activity", "/admin/activity", real="day"),
    Picture("my-customers", "/admin/customers", a_managers_day, who="timur@example.com"),
    Picture("new-customer", "/admin/customers/new", shapes=("light", "phone"), whole=False),
    Picture("new-customer-known", "/admin/customers/new", then=fill_in_a_known_one, shapes=("light",), whole=False),
    Picture("new-staff", "/admin/staff/new", shapes=("light",)),
    Picture("not-found", f"/admin/requests/{uid(0xDEAD)}", shapes=("light",), whole=False),
    Picture("request-retried", f"/admin/requests/{uid(0xBE4)}", a_failed_request, retry_one, ("light",)),
    Picture("requests-retrying", "/admin/requests", then=retry_under_way, shapes=("light",), whole=False),
    Picture("keys", "/admin", then=open_keys, shapes=("light",), whole=False),
    Picture("my-requests", "/admin/requests", shapes=("light",), who="timur@example.com"),
    Picture("queue", "/admin/queue/0/view/jobs/requests/queued/8/asc/1", redis=a_queue),
    Picture("queue-redis-down", "/admin/queue/", real="outage"),
)


class Silent(WSGIRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        """No line for each request."""


@contextmanager
def console(api: StandInApi, redis_url: str) -> Iterator[str]:
    """The admin UI in front of `api`; its address."""
    api.start()
    environ = {"SECRET_KEY": "a-secret-key-for-pictures-only-0123456789", "REDIS_URL": redis_url}
    settings = load_settings(environ=environ, dotenv=None)
    app = create_app(settings, ApiClient(api.url))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        api.stop()


def take_made_up(browser: Any, picture: Picture, shape: str, folder: Path) -> Path:
    api = ordinary_day()
    picture.prepare(api)
    with picture.redis() as redis_url, console(api, redis_url) as address:
        return take(browser, picture, shape, folder, address, picture.who, api)


def take(
    browser: Any, picture: Picture, shape: str, folder: Path, address: str, who: str, api: StandInApi | None = None
) -> Path:
    width, scheme = SHAPES[shape]
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        reduced_motion="reduce",
        timezone_id="Asia/Almaty",
    )
    context.api = api
    page = context.new_page()
    page.clock.install()
    _enter(page, picture, who)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    picture.then(page)
    path = folder / f"{picture.name}-{shape}.webp"
    _shoot(page, path, whole=picture.whole)
    page.unroute_all(behavior="ignoreErrors")
    context.close()
    return path


def _enter(page: Any, picture: Picture, who: str) -> None:
    page.goto(picture.path)
    if who:
        page.fill("#email", who)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_selector(".signed-in")


def _shoot(page: Any, path: Path, *, whole: bool) -> None:
    """As WebP, which Chromium writes itself; one that is too large gets coarser, then shorter."""
    width, first = page.viewport_size["width"], page.viewport_size["height"]
    height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST) if whole else first
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(150)  # the charts follow the width one frame later
    camera = page.context.new_cdp_session(page)
    for quality, tallest in ((90, height), (80, height), (70, height), (70, 2600), (80, 1600), (80, first)):
        clip = {"x": 0, "y": page.evaluate("scrollY"), "width": width, "height": min(height, tallest), "scale": 1}
        shot = camera.send("Page.captureScreenshot", {"format": "webp", "quality": quality, "clip": clip})
        path.write_bytes(b64decode(shot["data"]))
        if path.stat().st_size <= LARGEST:
            return


def _made_up(browser: Any, pictures: list[Picture], folder: Path) -> Iterator[Path]:
    for picture in pictures:
        for shape in picture.shapes if not picture.real else ():
            yield take_made_up(browser, picture, shape, folder)


def _real(browser: Any, pictures: list[Picture], folder: Path) -> Iterator[Path]:
    """All of one run of the services, from one state to the next."""
    if not any(picture.real for picture in pictures):
        return
    with TemporaryDirectory() as services, real_day(Path(services)) as day:
        for state in ("day", "outage", "direct"):
            day.happen(state)
            for picture in pictures:
                for shape in picture.shapes if picture.real == state else ():
                    yield take(browser, picture, shape, folder, day.address, ADMIN_EMAIL)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=", ".join(picture.name for picture in PICTURES))
    parser.add_argument("--into", type=Path, default=DOCS)
    wanted = parser.parse_args()
    unknown = set(wanted.names) - {picture.name for picture in PICTURES}
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if unknown or chromium is None:
        print(f"No such picture: {', '.join(sorted(unknown))}" if unknown else "Chromium is not installed.")
        return 2
    wanted.into.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
        pictures = [picture for picture in PICTURES if not wanted.names or picture.name in wanted.names]
        for path in chain(_made_up(browser, pictures, wanted.into), _real(browser, pictures, wanted.into)):
            print(f"{path.name}  {path.stat().st_size // 1024} KB", flush=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
