"""The list of requests: filters in the address, honest counts, retrying what failed."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.admin_ui.conftest import Visitor
from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_records import TIMUR, a_customer, a_request, ago

LIST = "/admin/requests"
PATH = "/api/admin/tripwire/requests"
RETRY = f"{PATH}/retry"


def asked(api: StandInApi) -> dict[str, str]:
    """What the list asked of the API last, as the page's main question."""
    calls = [call for call in api.calls_of("GET", PATH) if call.query.get("limit") == ["50"]]
    return {name: values[0] for name, values in calls[-1].query.items()}


def test_each_row_says_state_customer_way_and_times(admin: Visitor, api: StandInApi) -> None:
    api.state.requests += [
        a_request("anna@example.com", attempts=2, took_seconds=3.1),
        a_request("chen@example.net", "accepted", mode="fallback", accepted_at=ago(6)),
    ]
    page = admin.read(LIST).text
    for words in ("anna@example.com", "Provisioned", "3.1 s", "Sent", "In progress", "Fallback"):
        assert words in page, words
    assert re.search(r"\b\d+ s so far", page)
    assert page.count("<time datetime=") >= 2


def test_every_filter_is_asked_of_the_api_and_kept_in_every_link(admin: Visitor, api: StandInApi) -> None:
    api.records.page = 2
    api.state.requests += [a_request(f"anna{number}@example.com", "failed") for number in range(3)]
    given = f"status=failed&q=anna&mode=async&manager_id={TIMUR['id']}&when=week"
    page = admin.read(f"{LIST}?{given}").text
    query = asked(api)
    assert {name: query[name] for name in ("status", "q", "mode", "manager_id")} == {
        "status": "failed", "q": "anna", "mode": "async", "manager_id": TIMUR["id"],
    }  # fmt: skip
    since = datetime.now(UTC) - datetime.fromisoformat(query["from"])
    assert timedelta(days=7) <= since < timedelta(days=7, minutes=1)
    kept = given.replace("&", "&amp;").replace("status=failed&amp;", "")
    assert page.count(kept) >= 5  # the other tabs, the question, Older
    assert 'value="anna"' in page


def test_the_tabs_count_what_matches_whatever_its_state(admin: Visitor, api: StandInApi) -> None:
    api.state.requests += [
        a_request(),
        a_request(status="failed"),
        a_request(status="failed"),
        a_request("x@example.org"),
    ]
    page = admin.read(f"{LIST}?q=anna&status=provisioned").text.replace("\n", "")
    assert [f'>{word} <span class="tab-count">{count}<' in page for word, count in (("All", 3), ("Failed", 2))] == [
        True
    ] * 2


def test_times_are_those_of_the_readers_zone(admin: Visitor, api: StandInApi) -> None:
    admin.read(f"{LIST}?when=range&from=2026-11-24T14:00&to=2026-11-24T15:00&zone=300")
    query = asked(api)
    assert (query["from"], query["to"]) == ("2026-11-24T09:00:00+00:00", "2026-11-24T10:00:00+00:00")


@pytest.mark.parametrize("given", ["from=yesterday", "from=2026-11-25T00:00&to=2026-11-24T00:00"])
def test_a_time_that_is_none_is_said_and_asked_of_nobody(admin: Visitor, api: StandInApi, given: str) -> None:
    page = admin.read(f"{LIST}?when=range&{given}").text
    assert 'role="alert"' in page
    assert "“From”" in page
    assert "from" not in asked(api)


def test_newer_and_older_go_by_cursor(admin: Visitor, api: StandInApi) -> None:
    api.records.page = 2
    api.state.requests += [a_request(f"c{number}@example.com", accepted_at=ago(number)) for number in range(5)]
    first = admin.read(LIST).text
    assert "c0@example.com" in first
    assert "2 of 5 requests, newest first" in first
    assert 'rel="prev"' not in first
    second = admin.read(f"{LIST}?cursor=2").text
    assert "c2@example.com" in second
    assert 'rel="prev" href="/admin/requests?cursor=0"' in second
    assert 'rel="next" href="/admin/requests?cursor=4"' in second


def test_a_refresh_does_not_push_new_requests_in_but_counts_them(admin: Visitor, api: StandInApi) -> None:
    first = a_request("first@example.com", accepted_at=ago(10))
    api.state.requests.append(first)
    since = admin.read(LIST).text.partition('name="until" value="')[2].partition('"')[0]
    api.state.requests += [a_request(f"new{number}@example.com", accepted_at=ago(1)) for number in range(3)]
    first["status"] = "failed"
    fresh = admin.client.get(LIST, query_string={"until": since}, headers={"Tripwire-Refresh": "idle"}).text
    assert "new0@example.com" not in fresh
    assert "3 new requests. Show" in fresh
    assert 'class="pill bad"' in fresh  # what is shown does change
    assert f'value="{since}"' in fresh
    assert "new0@example.com" in admin.read(LIST).text


def test_what_cannot_be_read_is_said_and_the_rest_stays(admin: Visitor, api: StandInApi) -> None:
    api.state.fail[PATH] = 503
    answer = admin.read(LIST)
    assert answer.status_code == 200
    assert "This list could not be read." in answer.text
    assert "The API cannot reach its database." in answer.text


def test_without_the_api_a_refresh_gets_503_and_a_page_says_so(admin: Visitor, sales: Visitor, api: StandInApi) -> None:
    api.stop()
    for person in (admin, sales):
        assert person.read(LIST, **{"Tripwire-Refresh": "idle"}).status_code == 503
        assert "The API cannot be reached." in person.read(LIST).text
    assert "tripwire doctor" not in sales.read(LIST).text


def test_nothing_that_matches_leads_back_to_everything(admin: Visitor) -> None:
    assert "No request matches." in admin.read(f"{LIST}?q=nobody").text
    assert "No request yet." in admin.read(LIST).text


def test_one_failed_request_is_retried_without_script(admin: Visitor, api: StandInApi) -> None:
    failed = a_request("bek@example.org", "failed")
    api.state.requests.append(failed)
    page = f"{LIST}/{failed['request_id']}"
    assert "This request failed and waits for you." in admin.read(page).text
    answer = admin.send(f"{page}/retry", page)
    assert (answer.status_code, answer.location) == (303, page)
    assert failed["status"] == "accepted"
    after = admin.read(page).text
    assert "Queued for retry" in after
    assert "Queued for retry" not in admin.read(page).text  # said once


def test_a_retry_that_is_refused_says_why(admin: Visitor, api: StandInApi) -> None:
    done = a_request("bek@example.org")
    api.state.requests.append(done)
    answer = admin.send(f"{LIST}/{done['request_id']}/retry", LIST)
    assert answer.status_code == 409
    assert "Its e-mail has been taken meanwhile." in answer.text


def test_retrying_all_asks_with_the_count_and_the_filter(admin: Visitor, api: StandInApi) -> None:
    api.state.requests += [a_request("bek@example.org", "failed"), a_request("aigul@example.com", "failed")]
    assert "Retry all 2…" in admin.read(LIST).text
    question = admin.read(f"{LIST}?q=bek&when=hour&ask=retry").text
    assert "Retry 1 request?" in question
    assert "“failed, last hour, bek, any manager”" in question
    assert "Nobody is created twice." in question


def test_all_that_match_are_retried_batch_by_batch_without_script(admin: Visitor, api: StandInApi) -> None:
    api.records.retries = 2
    api.state.requests += [a_request(f"bek{number}@example.org", "failed") for number in range(3)]
    api.state.requests.append(a_request("other@example.com", "failed"))
    first = admin.send(f"{LIST}/retry", LIST, q="bek", count="3", done="0")
    assert "2 of 3 queued for retry" in first.text
    second = admin.send(f"{LIST}/retry", LIST, q="bek", count="3", done="2")
    assert (second.status_code, second.location) == (303, f"{LIST}?q=bek")
    assert "3 requests queued for retry" in admin.read(second.location).text
    assert [row["status"] for row in api.state.requests] == ["accepted"] * 3 + ["failed"]
    assert all(call.body == {"q": "bek"} for call in api.calls_of("POST", RETRY))


def test_no_more_are_retried_than_were_confirmed(admin: Visitor, api: StandInApi) -> None:
    """What fails anew matches anew: without a bound the page would go round for ever."""
    api.records.retries = 2
    api.state.requests += [a_request(f"bek{number}@example.org", "failed") for number in range(9)]
    headers = {"Accept": "application/json"}
    form = {"count": "2", "done": "0", "csrf_token": admin.csrf_token(LIST)}
    answer = admin.client.post(f"{LIST}/retry", data=form, headers=headers)
    assert answer.json == {"taken": 2, "goes_on": False, "address": LIST}


def test_a_request_that_is_not_there_says_so(admin: Visitor) -> None:
    answer = admin.read(f"{LIST}/2f9fd0a6-6c8e-4c6b-9a2b-3f6f2f0e8a11")
    assert answer.status_code == 404
    assert "Not found" in answer.text


def test_a_new_link_is_sent_from_the_timeline(admin: Visitor, api: StandInApi) -> None:
    row = a_request("hana@example.com", welcome_email="failed")
    api.state.requests.append(row)
    api.records.customers.append(a_customer(user_id=row["user_id"]))
    page = f"{LIST}/{row['request_id']}"
    assert admin.send(f"{page}/new-link", page).status_code == 303
    assert "To hana@example.com. The old link no longer works." in admin.read(page).text
    assert api.records.customers[0]["welcome_email"] == "pending"


def test_sales_reads_plain_words_and_sees_no_technical_detail(sales: Visitor, api: StandInApi) -> None:
    failed = a_request("bek@example.org", "failed", full_name="Bek T.")
    api.state.requests.append(failed)
    raw = "The database refused (UniqueViolation)."
    api.records.steps[failed["request_id"]] = [
        {"step": "failed", "at": ago(1), "detail": {"cause": "database_refused", "text": raw}}
    ]
    page = sales.read(f"{LIST}/{failed['request_id']}").text
    assert "Bek T. could not be created." in page
    assert "You need not enter it a second time." in page
    assert "UniqueViolation" not in page
    assert ">Retry<" not in page
