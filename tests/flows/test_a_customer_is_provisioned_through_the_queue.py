"""The main job: 202, then the worker makes the customer, the sale and the welcome mail."""

from email import message_from_bytes, policy

from tests.invariants import assert_nothing_broken, count
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until


def test_accepted_then_provisioned_with_sale_and_mail(stack: Stack) -> None:
    stack.start_api()
    stack.start_worker()
    manager = Manager(stack.api_url, stack.log_in())
    manager.wait_for(
        manager.create().json()["request_id"], "provisioned", 30
    )  # the worker is ready once it has done one

    answer = manager.create(" Anna@Example.com ", full_name="Anna K.", price=7000, currency="EUR")

    assert answer.status_code == 202
    told = answer.json()
    assert told["email"] == "anna@example.com"
    assert (told["success"], told["status"], told["mode"]) == (True, "accepted", "async")
    assert answer.headers["Location"] == f"/api/admin/tripwire/requests/{told['request_id']}"
    assert "Retry-After" in answer.headers
    found = manager.wait_for(told["request_id"], "provisioned")
    assert found["user_id"]
    assert [step["step"] for step in found["steps"]][:3] == ["accepted", "attempt_started", "provisioned"]
    wait_until(lambda: manager.request(told["request_id"])["welcome_email"] == "sent", 5)
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in stack.mail_folder.glob("*.eml")]
    anna = next(mail for mail in mails if "anna@example.com" in mail["To"])
    text = anna.get_body(("plain",)).get_content()
    assert f"{stack.api_url}/invitations/" in text
    assert count(stack.environ["DATABASE_URL"], "SELECT amount FROM sales WHERE currency = 'EUR'") == 7000
    assert_nothing_broken(stack.environ["DATABASE_URL"])
