"""Customers: lists, one customer, entering a new one, changing the state, a new link, and erasing somebody."""

import re
from datetime import UTC, datetime

import pytest

from tests.admin_ui.conftest import Visitor
from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_records import a_customer, a_request, ago, an_entry, uid

LIST = "/admin/customers"
NEW = f"{LIST}/new"
PATH = "/api/admin/tripwire/users"


def one_of(api: StandInApi, **fields: object) -> tuple[dict[str, object], str]:
    """A customer that the API knows, and the address of its page."""
    customer = a_customer("hana@example.com", **fields)
    api.records.customers.append(customer)
    return customer, f"{LIST}/{customer['user_id']}"


def test_the_list_filters_by_state_manager_time_and_text(admin: Visitor, api: StandInApi) -> None:
    one_of(api)
    page = admin.read(f"{LIST}?status=active&q=hana&when=week").text
    assert "hana@example.com" in page
    assert "5,000" in page
    query = api.calls_of("GET", PATH)[-1].query
    assert (query["status"], query["q"]) == (["active"], ["hana"])
    assert "from" in query
    assert "No customer matches." in admin.read(f"{LIST}?q=nobody").text


def test_a_customer_is_shown_with_sale_requests_and_history(admin: Visitor, api: StandInApi) -> None:
    customer, page = one_of(api, price=7500)
    api.state.requests.append(a_request("hana@example.com", user_id=customer["user_id"], took_seconds=0.4))
    entry = an_entry("customer status changed", user_id=customer["user_id"], detail={"from": "active", "to": "blocked"})
    api.records.activity.append(entry)
    text = admin.read(page).text
    for words in ("7,500", "timur@example.com", "0.4 s", "changed the status of a customer to blocked"):
        assert words in text, words


def test_the_state_is_changed(sales: Visitor, api: StandInApi) -> None:
    customer, page = one_of(api)
    assert sales.send(f"{page}/status", page, status="completed").location == page
    assert customer["status"] == "completed"
    assert "Now completed" in sales.read(page).text


def test_a_new_link_is_sent_from_the_page_and_from_the_list(sales: Visitor, api: StandInApi) -> None:
    customer, page = one_of(api)
    assert sales.send(f"{page}/new-link", page).location == page
    assert customer["welcome_email"] == "pending"
    assert sales.send(f"{page}/new-link", LIST, back="list").location == LIST
    assert "A new link is on its way. " in re.sub(r"</?strong>", "", sales.read(LIST).text)


def test_a_link_to_hand_over_is_shown_once(sales: Visitor, api: StandInApi) -> None:
    customer, page = one_of(api)
    shown = sales.send(f"{page}/link", page)
    assert shown.status_code == 200
    assert f"https://academy.example/invitations/{uid(77)}.s" in shown.text
    assert sales.read(f"{page}/link").location == page, "a reload makes no other"
    assert len(api.calls_of("POST", f"{PATH}/{customer['user_id']}/welcome-link")) == 1
    api.records.link_wait = 42
    assert sales.send(f"{page}/link", page).location == page
    assert "You can ask for another in 42 s." in sales.read(page).text


def test_a_name_is_corrected_and_a_refused_one_stays_in_its_field(sales: Visitor, api: StandInApi) -> None:
    customer, page = one_of(api)
    assert sales.send(f"{page}/name", page, full_name=" Hana Öz ").location == page
    assert customer["full_name"] == "Hana Öz"
    refused = sales.send(f"{page}/name", page, full_name=" ")
    assert refused.status_code == 422
    assert "Must have 1 to 200 characters." in refused.text
    assert customer["full_name"] == "Hana Öz"


def test_a_second_link_within_a_minute_is_refused_with_when_it_can_be_done(sales: Visitor, api: StandInApi) -> None:
    customer, page = one_of(api)
    row = a_request("hana@example.com", user_id=customer["user_id"])
    api.state.requests.append(row)
    api.records.link_wait = 42
    for path, form_on in ((page, page), (f"/admin/requests/{row['request_id']}", page)):
        answer = sales.send(f"{path}/new-link", form_on)
        assert answer.status_code == 303
        shown = sales.read(answer.location).text
        assert "No new link was made" in shown
        assert "You can ask for another in 42 s." in shown
        assert "on its way" not in shown


def test_a_key_that_is_none_of_ours_is_replaced(sales: Visitor, api: StandInApi) -> None:
    form = {"email": "anna@example.com", "full_name": "Anna K."}
    assert sales.send(NEW, NEW, key="kéy 🙂", **form).status_code == 303
    [call] = api.calls_of("POST", PATH)
    assert call.headers["Idempotency-Key"].isascii()


def test_erasing_asks_for_the_e_mail(admin: Visitor, api: StandInApi) -> None:
    customer, page = one_of(api)
    assert "Type the email to confirm." in admin.read(f"{page}?ask=erase").text
    wrong = admin.send(f"{page}/erase", page, email="dmitri@example.com")
    assert wrong.status_code == 422
    assert "This is not the email of this customer. Nothing was erased." in wrong.text
    assert not customer["erased"]
    assert admin.send(f"{page}/erase", page, email=" Hana@Example.com ").location == page
    assert customer["erased"]
    after = admin.read(page).text
    assert "The personal data is erased" in after
    assert "hana@example.com" not in after
    assert "Erase personal data" not in after
    assert "Send a new link" not in after


def test_a_new_customer_is_entered_once_however_often_the_form_is_sent(sales: Visitor, api: StandInApi) -> None:
    form = {"email": "anna@example.com", "full_name": "Anna K.", "price": "7500", "currency": "KZT"}
    answer = sales.send(NEW, NEW, key="one-key", **form)
    assert answer.location == f"/admin/requests/{api.state.requests[0]['request_id']}"
    [call] = api.calls_of("POST", PATH)
    assert call.headers["Idempotency-Key"] == "one-key"
    assert call.body == form | {"price": 7500}
    assert "anna@example.com is being created." in sales.read(answer.location).text


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"email": "anna@example"}, 422, "Enter an address with a dot after the @."),
        ({"price": "1.5"}, 422, "Enter a whole number."),
        ({"price": "9" * 5000}, 422, "less than or equal to 1000000000"),
        (
            {"email": "known@example.com"},
            409,
            "The e-mail address already belongs to a customer, an auth user or a request under way.",
        ),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_the_rest_kept(
    sales: Visitor, api: StandInApi, fields: dict[str, str], status: int, words: str
) -> None:
    api.state.requests.append(a_request("known@example.com"))
    form = {"email": "anna@example.com", "full_name": "Anna K.", "price": "", "currency": "", "key": "k", **fields}
    answer = sales.send(NEW, NEW, **form)
    assert answer.status_code == status
    assert words in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'value="Anna K."' in answer.text
    assert 'name="key" value="k"' not in answer.text  # a corrected form is another request


@pytest.mark.parametrize("whose", ["admin", "sales"])
def test_a_refresh_does_not_push_new_customers_in_but_counts_them(
    request: pytest.FixtureRequest, api: StandInApi, whose: str
) -> None:
    person = request.getfixturevalue(whose)
    first, _ = one_of(api)
    until = person.read(LIST).text.partition('name="until" value="')[2].partition('"')[0]
    api.records.customers += [a_customer(f"new{number}@example.com", created_at=ago(1)) for number in range(3)]
    first["status"] = "blocked"
    fresh = person.client.get(LIST, query_string={"until": until}, headers={"Tripwire-Refresh": "idle"}).text
    assert "new0@example.com" not in fresh
    assert "3 new customers. Show" in fresh
    assert 'class="pill bad"' in fresh  # what is shown does change
    assert "new0@example.com" in person.read(LIST).text


def test_a_date_of_another_year_says_its_year(admin: Visitor, api: StandInApi) -> None:
    this_year = datetime.now(UTC).replace(month=1, day=3, hour=12, minute=0)
    one_of(api, created_at=this_year.isoformat())
    _, page = one_of(api, created_at=this_year.replace(year=2024).isoformat())
    for path in (LIST, page):
        assert ">3 Jan 2024, 12:00</time>" in admin.read(path).text
    assert ">3 Jan, 12:00</time>" in admin.read(LIST).text


def test_a_customer_that_cannot_be_read_is_no_list(admin: Visitor, api: StandInApi) -> None:
    _, page = one_of(api)
    api.state.fail[page.replace(LIST, PATH)] = 503
    assert "This customer could not be read." in admin.read(page).text


def test_whose_an_e_mail_is_can_be_looked_at(admin: Visitor, api: StandInApi) -> None:
    customer = a_customer("hana@example.com")
    api.records.customers.append(customer)
    done, doing = a_request("hana@example.com", user_id=customer["user_id"]), a_request("bek@example.org", "failed")
    elsewhere = a_request("eve@example.com", user_id=uid(4711))  # an auth user who is no customer
    api.state.requests += [done, doing, elsewhere]

    def told(email: str) -> str:
        return admin.send(NEW, NEW, email=email, full_name="Somebody").text

    assert f'<a href="/admin/customers/{customer["user_id"]}">See the customer</a>' in told("hana@example.com")
    assert f'<a href="/admin/requests/{doing["request_id"]}">See the request</a>' in told("bek@example.org")
    assert "It is a sign-in account that is no customer here." in told("eve@example.com")


def test_a_form_that_is_being_answered_right_now_keeps_its_key(sales: Visitor, api: StandInApi) -> None:
    api.state.fail[PATH], api.state.fail_title = 409, "Idempotency-Key in use"
    answer = sales.send(NEW, NEW, email="anna@example.com", full_name="Anna K.", key="one-key")
    assert answer.status_code == 409
    assert "The same form is being answered right now." in answer.text
    assert 'aria-invalid="true"' not in answer.text, "nothing is wrong with the e-mail"
    assert 'name="key" value="one-key"' in answer.text


def test_a_form_that_was_sent_before_with_other_entries_is_another_one(sales: Visitor, api: StandInApi) -> None:
    api.state.fail[PATH], api.state.fail_title = 422, "Idempotency-Key reused"
    answer = sales.send(NEW, NEW, email="anna@example.com", full_name="Anna B.", key="one-key")
    assert "It was sent before with other entries" in answer.text
    assert "Idempotency" not in answer.text
    assert 'name="key" value="one-key"' not in answer.text


def test_where_the_api_does_not_answer_the_same_form_can_be_sent_again(sales: Visitor, api: StandInApi) -> None:
    token = sales.csrf_token(NEW)
    api.stop()
    form = {"email": "anna@example.com", "full_name": "Anna K.", "key": "one-key", "csrf_token": token}
    answer = sales.client.post(NEW, data=form)
    assert answer.status_code == 503
    assert "no duplicates are created" in answer.text
    assert 'name="key" value="one-key"' in answer.text
    assert 'value="anna@example.com"' in answer.text


def test_sales_sees_its_numbers_tabs_and_what_could_not_be_created(sales: Visitor, api: StandInApi) -> None:
    one_of(api, full_name="Hana W.")
    api.state.requests += [
        a_request("aida@example.com", "accepted", full_name="Aida M."),
        a_request("bek@example.org", "failed", full_name="Bek T."),
    ]
    page = sales.read(LIST).text
    for words in (
        "184",
        "214,500",
        "of 4 managers",
        "Hana W.",
        "Bek T. could not be created.",
        "In progress",
        "Send new link",
    ):
        assert words in page, words
    assert "Already a customer" not in page  # a state that nobody is in has no tab
    under_way = sales.read(f"{LIST}?status=accepted").text
    assert "Aida M." in under_way
    assert "Hana W." not in under_way


def test_a_number_that_the_api_does_not_give_is_unknown(sales: Visitor, api: StandInApi) -> None:
    api.state.fail["/api/admin/tripwire/my-stats"] = 503
    one_of(api)
    page = sales.read(LIST).text
    assert page.count("<strong>Unknown</strong>") == 4
    assert "hana@example.com" in page
