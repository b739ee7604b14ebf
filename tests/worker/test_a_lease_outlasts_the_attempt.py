"""A lease is longer than anything that is done under it, and begins anew where a preparation takes long."""

import time
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.resources import Resources
from tests.worker.conftest import accept, rows
from tripwire_shared import timings
from tripwire_shared.answers.vocabulary import Door
from tripwire_shared.passwords import PasswordHasher
from tripwire_shared.provisioning.provision import Outcome

Build = Callable[..., Resources]


def test_the_sums() -> None:
    assert timings.LEASE_RENEWED_AFTER + timings.SET_STATEMENT_LIMIT < timings.CLAIM_LEASE
    assert timings.IDENTITY_PROVIDER_TOTAL < timings.CLAIM_LEASE
    # A vanished worker's request is with another within 10 s: its lease, one look of the sweep, and some room.
    assert timings.CLAIM_LEASE + 1 < 10 - 2
    assert timings.SLOT_WAIT + timings.SLOT_NEAR < timings.CHILD_SILENT_LIMIT


def test_many_passwords_take_longer_than_a_lease_and_lose_none(
    build: Build, staff_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten hashes of 0.2 s under a lease of 0.8 s, with a sweep that takes whatever it may at every moment."""
    monkeypatch.setattr("tripwire_shared.requests.claims.CLAIM_LEASE", 0.8)
    monkeypatch.setattr("tripwire_shared.provisioning.preparation.LEASE_RENEWED_AFTER", 0.3)
    resources = build()
    hash_password = PasswordHasher.hash

    def slow(hasher: PasswordHasher, password: str, patience: float | None = None) -> str:
        assert resources.claims.claim_due(10, door=Door.SWEEP) == [], "its lease ran out"
        time.sleep(0.1)
        return hash_password(hasher, password, patience)

    monkeypatch.setattr(PasswordHasher, "hash", slow)
    ids = [accept(resources, staff_id, f"anna{number}@example.com", "a good password") for number in range(10)]

    attempts = resources.provisioning.provision_new(ids, Door.QUEUE)

    assert {one.outcome for one in attempts} == {Outcome.PROVISIONED}
    assert rows(resources.database, "SELECT DISTINCT attempts FROM provisioning_requests") == [(1,)]


def test_who_waits_for_the_turn_to_hash_keeps_the_lease(
    build: Build, staff_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others hash in this process, for longer than a lease."""
    monkeypatch.setattr("tripwire_shared.requests.claims.CLAIM_LEASE", 0.8)
    monkeypatch.setattr("tripwire_shared.provisioning.preparation.LEASE_RENEWED_AFTER", 0.2)
    resources = build()
    slots = resources.hasher._slots
    assert slots.acquire()
    assert slots.acquire()
    renewed: list[float] = []
    renew = resources.claims.renew

    def counted(claims: list[object], hashes: dict[UUID, str]) -> set[UUID]:
        renewed.append(time.monotonic())
        if len(renewed) == 8:
            slots.release()
            slots.release()
        return renew(claims, hashes)  # type: ignore[arg-type]

    monkeypatch.setattr(resources.claims, "renew", counted)
    request_id = accept(resources, staff_id, password="a good password")

    [made] = resources.provisioning.provision_new([request_id], Door.QUEUE)

    assert made.outcome is Outcome.PROVISIONED
    assert renewed[7] - renewed[0] > 0.8, "longer than a lease"
