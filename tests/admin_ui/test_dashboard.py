"""The dashboard: one card a page, what needs a look, who did what."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

from tests.admin_ui.conftest import Visitor
from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_records import a_request, an_entry


def words(page: str) -> str:
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


def card(page: str, key: str) -> str:
    return words(page[page.index(f'id="{key}"') :].split(">", 1)[1][:6000])


def test_each_card_leads_to_its_page_with_its_live_figure(admin: Visitor, api: StandInApi) -> None:
    page = admin.read("/admin").text
    assert card(page, "card-health").startswith(
        "System Health All 5 components up 100 % Redis up, 24 h no outage in 24 h"
    )
    assert card(page, "card-requests").startswith("Requests None failed 12,480 provisioned, 24 h 8 in progress")
    assert card(page, "card-customers").startswith("Customers All emails go out 218,406 customers 12,480 new in 24 h")
    assert card(page, "card-staff").startswith("Staff 2 active 3 people 1 admin, 2 sales, 1 deactivated")
    assert card(page, "card-queue").startswith("Queue 10 workers 3 waiting 5 active, 0 scheduled, read at")
    for address in ("/admin/system-health", "/admin/requests", "/admin/customers", "/admin/staff", "/admin/queue/"):
        assert re.search(rf'<h2 id="\w+-title"><a href="{address}">', page), address


def test_half_hours_that_nobody_measured_are_no_idle_ones(admin: Visitor, api: StandInApi) -> None:
    api.state.past.begun = datetime.now(UTC) - timedelta(hours=12)
    page = admin.read("/admin").text
    assert re.search(r'aria-label="Provisioned in each half hour [^"]*; 2[345] of them not measured"', page)
    assert '<path class="unmeasured" d="M0 35.0h7v5.0h-7z' in page


def test_nothing_needs_you(admin: Visitor) -> None:
    page = words(admin.read("/admin").text)
    assert "Needs attention Nothing needs you." in page
    assert "Everything works" in page


def test_what_needs_a_look_has_its_one_action(admin: Visitor, api: StandInApi) -> None:
    api.state.metrics["states"]["failed"] = 2
    api.state.metrics |= {"mails_failed": 1, "tokens_ending_7d": 3}
    page = admin.read("/admin").text
    told = words(page)
    assert "3 things" in told
    assert "2 requests failed after all attempts" in told
    assert "1 welcome email was given up" in told
    assert "3 tokens end within 7 days" in told
    assert 'href="/admin/requests?status=failed">See requests</a>' in page
    assert 'href="/admin/requests?status=failed">See the 2 requests</a>' in page
    assert "2 failed" in told  # in the menu, for screen readers too


def test_the_latest_activity_is_told_in_sentences(admin: Visitor, api: StandInApi) -> None:
    api.records.activity += [an_entry("mode switched", detail={"mode": "sync_direct", "reason": "Redis restarts"})] * 7
    page = admin.read("/admin").text
    assert page.count("switched to direct mode: “Redis restarts”") == 5


def test_a_part_that_is_down_is_named_on_the_card(admin: Visitor, api: StandInApi) -> None:
    api.state.redis_goes_down()
    assert card(admin.read("/admin").text, "card-health").startswith("System Health Redis down")


def test_what_the_api_does_not_say_is_unknown(admin: Visitor, api: StandInApi) -> None:
    api.state.fail["/api/admin/system/metrics"] = 500
    api.state.fail["/api/admin/system/availability"] = 500
    api.state.fail["/api/admin/tripwire/activity"] = 500
    api.state.fail["/api/admin/staff"] = 500
    page = admin.read("/admin").text
    assert card(page, "card-health").startswith("System Health 5 of 5 unknown Unknown Redis up, 24 h the last 24 hours")
    assert card(page, "card-requests").startswith("Requests Failed: unknown Unknown provisioned")
    assert card(page, "card-customers").startswith("Customers Emails: unknown Unknown customers unknown new")
    assert card(page, "card-staff").startswith("Staff Unknown Unknown people unknown who")
    assert "This list could not be read." in words(page)


def test_mails_go_out_only_where_somebody_sends_them(admin: Visitor, api: StandInApi) -> None:
    for smtp, words in (
        ("ok", "All emails go out"),
        ("failing", "Mail failing"),
        ("not_configured", "Mail not configured"),
    ):
        api.state.metrics["smtp"] = smtp
        assert card(admin.read("/admin").text, "card-customers").startswith(f"Customers {words}"), smtp


def test_what_is_lost_nobody_has_checked(admin: Visitor, sales: Visitor, api: StandInApi) -> None:
    api.state.requests.append(a_request("bek@example.org", "failed", full_name="Bek T."))
    api.state.redis_goes_down()
    pages = [admin.read(path).text for path in ("/admin", "/admin/system-health", "/admin/queue/")]
    api.state.redis_comes_back()
    pages += [admin.read(path).text for path in ("/admin", "/admin/system-health")]
    assert not [page for page in pages if "othing is lost" in page or "nothing lost" in page or "was lost" in page]
    assert "has been told" not in sales.read("/admin/customers").text
