"""The admin UI in front of the real API: what an admin does, seen in the pages."""

import re
from html import unescape

import pytest
import requests

from tests.stack import ADMIN_EMAIL, ADMIN_PASSWORD, Stack
from tests.waiting import wait_until


def form_fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden"(?: id="[\w-]+")? name="(\w+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}


@pytest.mark.slow
def test_an_admin_signs_in_switches_and_sees_the_receipts(stack: Stack) -> None:
    stack.start_api(processes=2)
    stack.start_admin_ui()
    health = f"{stack.admin_ui_url}/admin/system-health"
    with requests.Session() as browser:
        login = browser.get(health, timeout=5)
        assert login.url.startswith(f"{stack.admin_ui_url}/login")
        fields = form_fields(login.text) | {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
        page = browser.post(f"{stack.admin_ui_url}/login", data=fields, timeout=5)
        assert page.url == health
        assert "Queue mode" in page.text

        question = browser.get(f"{health}?switch=sync_direct", timeout=5).text
        fields = form_fields(question[question.index('id="question"') :]) | {"reason": "a try"}
        page = browser.post(health, data=fields, timeout=5)
        assert "Direct mode is on. You switched it." in page.text
        assert "“a try”" in page.text
        wait_until(lambda: "<strong>2 of 2 API processes</strong>" in browser.get(health, timeout=5).text, 5)
        wait_until(lambda: "System mode changed to: sync_direct" in browser.get(health, timeout=5).text, 5)

        stale = browser.post(health, data=fields, timeout=5)
        assert stale.status_code == 409
        assert "Not switched: someone else changed it first." in stale.text
