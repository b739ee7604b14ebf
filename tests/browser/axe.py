"""axe, which finds what a page lacks for people who cannot see it well or use no mouse: names, roles, contrast."""

from typing import Any

import pytest

# The rules about colours that a whole run has; axe's category cat.color would add one of level AAA.
COLOURS = "axe.run({runOnly: ['color-contrast', 'link-in-text-block'], resultTypes: ['violations']})"


def complaints(page: Any) -> list[tuple[str, list[str]]]:
    """What axe finds in the light scheme, then what it finds about colours in the dark one: nothing else depends on
    the scheme."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no accessibility test: no axe").Axe()
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found = axe.run(page).response["violations"]
    page.emulate_media(color_scheme="dark")
    found += page.evaluate(COLOURS)["violations"]  # the page has axe by now
    return [(rule["id"], [str(node["target"]) for node in rule["nodes"]]) for rule in found]
