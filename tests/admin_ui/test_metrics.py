"""What Prometheus learns of the admin UI: its pages, the API behind them, and which build it is."""

from tests.admin_ui.conftest import Visitor
from tests.admin_ui.stand_in_api import StandInApi


def scrape(visitor: Visitor) -> str:
    answer = visitor.read("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    return answer.get_data(as_text=True)


def test_pages_are_counted_by_name_and_not_by_path(admin: Visitor) -> None:
    for path in ("/admin/customers?search=anna@example.com", "/admin/customers", "/nowhere/anna@example.com"):
        admin.read(path)
    page = scrape(admin)
    assert 'tripwire_pages_total{page="customers.show",status="200"} 2.0' in page
    assert 'tripwire_pages_total{page="none",status="404"} 1.0' in page
    assert 'tripwire_page_seconds_count{page="customers.show"} 2.0' in page
    assert "anna" not in page


def test_what_became_of_the_calls_of_the_api_is_told(admin: Visitor, api: StandInApi) -> None:
    def count(outcome: str) -> float:
        name = f'tripwire_page_api_seconds_count{{outcome="{outcome}"}} '
        return sum(float(line.removeprefix(name)) for line in scrape(admin).splitlines() if line.startswith(name))

    admin.read("/admin/customers")
    assert count("answered") > 0
    assert count("unreachable") == 0
    api.stop()
    admin.read("/admin/customers")
    assert count("unreachable") > 0


def test_the_build_is_told_to_who_is_not_signed_in(visitor: Visitor) -> None:
    assert 'tripwire_build_info{service="admin-ui",version="0.1.0"} 1.0' in scrape(visitor)
