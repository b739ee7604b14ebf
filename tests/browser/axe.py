"""axe, which finds what a page lacks for people who cannot see it well or use no mouse: names, roles, contrast."""

from typing import Any

import pytest

# What passed is not of interest: making and sending it would double the time.
RUN = "(rules) => axe.run({...rules, resultTypes: ['violations']}).then((found) => found.violations)"
# The rules about colours that a whole run has; axe's category cat.color would add one of level AAA.
OF_COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}


def complaints(page: Any) -> list[tuple[str, list[str]]]:
    """What axe finds in the light scheme, then what it finds about colours in the dark one: nothing else depends on
    the scheme."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no accessibility test: no axe").Axe()
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.evaluate(axe.axe_script)
    found = page.evaluate(RUN, {})
    page.emulate_media(color_scheme="dark")
    found += page.evaluate(RUN, OF_COLOURS)
    return [(rule["id"], [str(node["target"]) for node in rule["nodes"]]) for rule in found]
