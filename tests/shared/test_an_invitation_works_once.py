"""The one-time link: sets the password once, within its 72 hours, as long as no newer one was made."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.resources import Resources
from tests.shared.rows import Provisioned, provisioned, rows
from tripwire_shared.errors import NotFound
from tripwire_shared.provisioning.invitation import InvitationOver, InvitationState

PASSWORD = "a new password"


def token_of(resources: Resources, customer: Provisioned) -> str:
    assert customer.invitation_id is not None
    return resources.invitations.link(customer.invitation_id).rpartition("/")[2]


def password_hash(resources: Resources, customer: Provisioned) -> str | None:
    [row] = rows(resources.database, "SELECT encrypted_password FROM auth.users WHERE id = %s", customer.user_id)
    found: str | None = row.encrypted_password
    return found


def test_it_sets_the_password_and_is_used(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for()
    customer = provisioned(resources)
    token = token_of(resources, customer)
    resources.invitations.consume(token, PASSWORD)
    kept = password_hash(resources, customer)
    assert kept is not None
    assert kept.startswith("$argon2id$")
    assert resources.hasher.verify(kept, PASSWORD)
    assert resources.invitations.open(token).state is InvitationState.USED
    with pytest.raises(InvitationOver):
        resources.invitations.consume(token, "another password")
    assert password_hash(resources, customer) == kept


def test_two_at_the_same_moment_set_one(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for("api")
    customer = provisioned(resources)
    token = token_of(resources, customer)

    def use(password: str) -> str | None:
        try:
            resources.invitations.consume(token, password)
        except InvitationOver:
            return None
        return password

    with ThreadPoolExecutor(4) as pool:
        worked = [done for done in pool.map(use, [f"password {number}" for number in range(4)]) if done]
    assert len(worked) == 1
    assert resources.hasher.verify(password_hash(resources, customer) or "", worked[0])


def test_a_newer_one_ends_it(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for()
    customer = provisioned(resources)
    token = token_of(resources, customer)
    with resources.database.transaction() as connection:
        newer = resources.invitations.replace(connection, customer.user_id)
    assert resources.invitations.open(token).state is InvitationState.REVOKED
    with pytest.raises(InvitationOver):
        resources.invitations.consume(token, PASSWORD)
    resources.invitations.consume(resources.invitations.link(newer).rpartition("/")[2], PASSWORD)


def test_it_ends_after_72_hours(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for()
    customer = provisioned(resources)
    token = token_of(resources, customer)
    query = "SELECT extract(epoch FROM expires_at - created_at)::integer AS seconds FROM invitations"
    assert [row.seconds for row in rows(resources.database, query)] == [72 * 3600]
    rows(resources.database, "UPDATE invitations SET expires_at = now()")
    assert resources.invitations.open(token).state is InvitationState.EXPIRED
    with pytest.raises(InvitationOver):
        resources.invitations.consume(token, PASSWORD)
    assert password_hash(resources, customer) is None


def test_what_we_did_not_make_is_not_found(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for()
    customer, other = provisioned(resources), provisioned(resources, "boris@example.com")
    own, foreign = token_of(resources, customer), token_of(resources, other)
    forged = [
        "",
        "nonsense",
        own.partition(".")[0],
        own.partition(".")[0] + ".",
        own.partition(".")[0] + "." + foreign.partition(".")[2],
        own[:-4] + "AAAA",
        own.replace(".", ".é"),
        resources.invitations.link(uuid4()).rpartition("/")[2],
    ]
    for token in forged:
        with pytest.raises(NotFound):
            resources.invitations.open(token)


def test_links_of_the_previous_key_still_open(resources_for: Callable[..., Resources]) -> None:
    before = resources_for()
    customer = provisioned(before)
    token = token_of(before, customer)
    after = resources_for(
        secret_key="another-secret-key-for-tests-9876543210", secret_key_previous=before.settings.secret_key
    )
    assert after.invitations.open(token).state is InvitationState.OPEN
    assert token_of(after, customer) != token
