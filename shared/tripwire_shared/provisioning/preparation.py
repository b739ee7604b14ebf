"""What some requests need before their customers' statement, outside any transaction, since it takes long: a password
is hashed, an outside identity provider makes the auth user."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tripwire_shared.keys import Sealer
from tripwire_shared.passwords import HasherBusy, PasswordHasher
from tripwire_shared.provisioning.identity import IdentityProvider
from tripwire_shared.requests.request import Claim
from tripwire_shared.timings import LEASE_RENEWED_AFTER


@dataclass
class Prepared:
    """`ready` have all they need, with the `hashes` made for them; `failed` have an error; `waiting` were not reached
    before their lease grew old."""

    ready: list[Claim] = field(default_factory=list)
    hashes: dict[UUID, str] = field(default_factory=dict)
    failed: list[tuple[Claim, Exception]] = field(default_factory=list)
    waiting: list[Claim] = field(default_factory=list)

    @property
    def held(self) -> list[Claim]:
        """Those whose lease must go on."""
        return [*self.ready, *self.waiting]


class Preparation:
    def __init__(
        self,
        identity: IdentityProvider,
        hasher: PasswordHasher,
        sealer: Sealer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._identity, self._hasher, self._sealer, self._clock = identity, hasher, sealer, clock

    @property
    def outside(self) -> bool:
        """Whether another server makes the auth users."""
        return self._identity.outside

    def needed(self, claim: Claim) -> bool:
        return self._identity.outside or self._unhashed(claim)

    def some_of(self, claims: Sequence[Claim]) -> Prepared:
        """Prepares one after the other until their lease grows old."""
        prepared = Prepared(waiting=list(claims))
        renew_at = self._clock() + LEASE_RENEWED_AFTER
        while prepared.waiting and (left := renew_at - self._clock()) > 0:
            claim = prepared.waiting[0]
            try:
                self._prepare(claim, prepared, patience=left)
            except HasherBusy:
                break
            except Exception as error:
                prepared.failed.append((claim, error))
            else:
                prepared.ready.append(claim)
            prepared.waiting.pop(0)
        return prepared

    def _prepare(self, claim: Claim, prepared: Prepared, *, patience: float) -> None:
        password_hash = claim.password_hash
        if claim.sealed_password is not None and self._unhashed(claim):
            password_hash = self._hasher.hash(self._sealer.unseal(claim.sealed_password), patience=patience)
            prepared.hashes[claim.request_id] = password_hash
        self._identity.prepare(claim, password_hash)

    def _unhashed(self, claim: Claim) -> bool:
        return claim.sealed_password is not None and claim.password_hash is None
