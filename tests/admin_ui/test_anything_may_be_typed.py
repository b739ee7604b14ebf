"""Whatever stands in a page's address or in a form: a page that says so, never a 500."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.admin_ui.conftest import HEALTH, Visitor
from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_records import a_customer, a_request
from tripwire_admin_ui.frame.list_filters import Span, read_filter

NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
zones = st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))
spellings = st.one_of(
    st.datetimes(timezones=st.none() | zones).map(datetime.isoformat),
    st.sampled_from(["0001-01-01T00:00", "9999-12-31T23:59", "9999-12-31", "2026-W48-2", "20261124", ""]),
    st.dates().map(date.isoformat),
    st.text(max_size=20),
)


@given(begin=spellings, end=spellings, zone=st.text(max_size=6) | st.integers(-900, 900).map(str))
def test_any_span_is_read_or_said_to_be_none(begin: str, end: str, zone: str) -> None:
    span = read_filter({"when": "range", "from": begin, "to": end, "zone": zone}, (), ()).span
    assert span.shown(begin) in (begin, "")
    bounds = span.bounds(NOW)
    assert bool(span.problem) <= (not bounds)
    for moment in bounds.values():
        assert datetime.fromisoformat(moment).tzinfo is not None


@pytest.mark.parametrize("day", ["2026-11-24", "20261124", "2026-W48-2"])
def test_a_day_counts_whole_however_it_is_written(day: str) -> None:
    bounds = Span("range", day, day, 300).bounds(NOW)
    assert bounds == {"from": "2026-11-23T19:00:00+00:00", "to": "2026-11-24T19:00:00+00:00"}


def test_no_address_breaks_a_page(admin: Visitor, subtests: pytest.Subtests) -> None:
    long, strange = "9" * 5000, "%E2%80%AE%00%C3%28"
    for path in (
        *(f"/admin/requests?since={value}" for value in ("0001-01-01T00:00%2B14:00", "9999-12-31", long, strange)),
        *(f"/admin/customers?when=range&from={value}&to={value}&zone=840" for value in ("0001-01-01", long, strange)),
        *(f"{HEALTH}/incidents?before={value}" for value in (long, strange, "0")),
        *(f"{HEALTH}?before={value}&q={value}&window={value}" for value in (long, strange)),
        *(f"/admin/activity?before={value}&staff_id={value}&action={value}" for value in (long, strange)),
    ):
        with subtests.test(path[:60]):
            assert admin.read(path).status_code < 500


def test_no_number_breaks_a_form(admin: Visitor, api: StandInApi) -> None:
    long = "9" * 5000
    assert admin.switch("sync_direct", long).status_code == 400
    new = "/admin/customers/new"
    assert admin.send(new, new, email="a@example.com", full_name="A", price=long).status_code < 500
    assert api.calls_of("POST", "/api/admin/tripwire/users")[-1].body["price"] > 10**9
    person = "/admin/staff/" + api.records.staff[0]["id"]
    for days in (long, "x", "-1", "²"):
        answer = admin.send(f"{person}/tokens", person, name="x", days=days)
        assert answer.status_code == 422
        assert "Choose how long it is valid." in answer.text


def test_a_request_that_ended_without_a_customer_shows_no_mail(admin: Visitor, api: StandInApi) -> None:
    failed = a_request("bek@example.org", "failed", welcome_email="failed")
    api.state.requests.append(failed)
    for path in ("/admin/requests", f"/admin/requests/{failed['request_id']}"):
        assert "Mail failed" not in admin.read(path).text


def test_an_address_is_confirmed_in_either_of_its_forms(admin: Visitor, api: StandInApi) -> None:
    for typed in ("anna@xn--bcher-kva.example", " Anna@BÜCHER.example "):
        customer = a_customer("anna@bücher.example")
        api.records.customers.append(customer)
        page = f"/admin/customers/{customer['user_id']}"
        assert "anna@bücher.example" in admin.read(page).text
        assert admin.send(f"{page}/erase", page, email=typed).location == page
        assert customer["erased"]
