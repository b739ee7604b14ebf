"""The welcome mail over real SMTP: text and HTML, the link that opens the invitation, nothing that a name can break."""

from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest

from tests.resources import Resources
from tests.shared.mail_server import MailServer, mail_server
from tests.shared.rows import messages, provisioned, rows
from tests.waiting import wait_until
from tripwire_shared.provisioning.invitation import InvitationState


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return str(text.get_content()), str(html.get_content())


def test_to_the_customer_with_a_link_that_opens(resources_for: Callable[..., Resources], mails: MailServer) -> None:
    resources = resources_for(smtp_url=mails.url, public_url="https://welcome.example.com/")
    customer = provisioned(resources)
    resources.mails.start()
    [mail] = wait_until(lambda: mails.mails)
    assert mails.recipients == [[customer.email]]
    assert (mail["From"], mail["To"]) == ("Academy <welcome@example.com>", customer.email)
    text, html = parts(mail)
    [link] = [word for word in text.split() if word.startswith("https://welcome.example.com/invitations/")]
    assert f'href="{link}"' in html
    assert resources.invitations.open(link.rpartition("/")[2]).state is InvitationState.OPEN
    wait_until(lambda: [row.status for row in messages(resources.database, "mail")] == ["sent"])
    secret = link.rpartition(".")[2]
    assert secret not in repr(rows(resources.database, "SELECT o, i FROM outbox o, invitations i"))


def test_who_was_given_a_password_is_told_so_and_gets_no_link(
    resources_for: Callable[..., Resources], mails: MailServer
) -> None:
    resources = resources_for(smtp_url=mails.url)
    provisioned(resources, own_password=True)
    resources.mails.run_once()
    for part in parts(mails.mails[0]):
        assert "the password that your manager gave you" in part
        assert "http" not in part


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script> & Söhne",
        'Anna", <evil@example.net>, "K',
        "A" * 100 + ", evil@example.net, " + "B" * 80,
        "Анна Иванова-Петрова " * 9,
        "Anna\u2028Bcc: evil@example.net",
        "{{ 7 * 7 }} 🙂",
    ],
)
def test_a_name_stays_a_name(resources_for: Callable[..., Resources], mails: MailServer, name: str) -> None:
    resources = resources_for(smtp_url=mails.url)
    customer = provisioned(resources, full_name=name)
    resources.mails.run_once()
    assert mails.recipients == [[customer.email]]
    [mail] = mails.mails
    assert mail["To"] == customer.email
    assert "Bcc" not in mail
    assert mail["Subject"] == "Your access to the entry course", "no name in a header"
    text, html = parts(mail)
    assert " ".join(name.split()) in text
    assert "<script>" not in html


def test_credentials_with_special_signs_sign_in(resources_for: Callable[..., Resources]) -> None:
    with mail_server(auth_required=True, auth_require_tls=False) as server:
        resources = resources_for(smtp_url=server.url.replace("://", "://user%40mail:p%40ss%2Fword@"))
        provisioned(resources)
        resources.mails.run_once()
        assert len(server.mails) == 1


def test_wrong_credentials_are_a_failure_without_the_credentials(resources_for: Callable[..., Resources]) -> None:
    with mail_server(auth_required=True, auth_require_tls=False) as server:
        resources = resources_for(smtp_url=server.url.replace("://", "://user%40mail:wrong-secret@"))
        provisioned(resources)
        resources.mails.run_once()
        assert server.mails == []
    assert [row.last_error for row in messages(resources.database, "mail")] == ["The mail server refused (535)."]


def test_a_server_without_starttls_gets_nothing_where_it_was_asked_for(
    resources_for: Callable[..., Resources], mails: MailServer
) -> None:
    resources = resources_for(smtp_url=f"{mails.url}?starttls=true")
    provisioned(resources)
    resources.mails.run_once()
    assert mails.mails == []
    assert [row.status for row in messages(resources.database, "mail")] == ["pending"]


def test_a_mail_that_was_accepted_is_not_sent_again_because_of_the_farewell(
    resources_for: Callable[..., Resources], mails: MailServer
) -> None:
    mails.farewell = "421 going down"
    resources = resources_for(smtp_url=mails.url)
    provisioned(resources)
    resources.mails.run_once()
    assert [row.status for row in messages(resources.database, "mail")] == ["sent"]


def test_nothing_goes_to_an_erased_customer_or_with_a_dead_link(
    resources_for: Callable[..., Resources], mails: MailServer
) -> None:
    resources = resources_for(smtp_url=mails.url)
    replaced = provisioned(resources)
    with resources.database.transaction() as connection:
        resources.invitations.replace(connection, replaced.user_id)
    erased = provisioned(resources, "boris@example.com")
    rows(resources.database, "DELETE FROM tripwire_users WHERE user_id = %s", erased.user_id)
    while resources.mails.run_once():
        pass
    assert mails.mails == []
    assert [row.status for row in messages(resources.database, "mail")] == ["failed", "failed"]
