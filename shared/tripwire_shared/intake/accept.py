"""Intake: the one way a request comes in. Store it, then queue it or provision it at once, by mode and breaker.

Once the row is committed we may answer: whatever dies afterwards, the sweep finds the row and finishes it.
"""

import json
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from uuid import UUID, uuid4

from tripwire_shared.answers.vocabulary import BreakerState, Door, Mode, RequestMode, RequestStatus
from tripwire_shared.errors import Conflict, DatabaseUnavailable
from tripwire_shared.few_at_once import FewAtOnce, TooManyAtOnce
from tripwire_shared.intake.accept_group import AcceptGroup, Entry
from tripwire_shared.intake.replay import answer_of, replayed_mode
from tripwire_shared.keys import Sealer, Signer
from tripwire_shared.late_writes import BackgroundWriter
from tripwire_shared.logs import get_logger
from tripwire_shared.mode.mode_cache import ModeCache
from tripwire_shared.postgres.database import within
from tripwire_shared.provisioning.provision import Attempt, Outcome, Provisioning
from tripwire_shared.queue.breaker import Breaker
from tripwire_shared.queue.request_queue import RequestQueue
from tripwire_shared.requests.request import EmailTaken, NewCustomer, Request
from tripwire_shared.requests.request_store import NewRequest, RequestStore, Rival
from tripwire_shared.timings import RIVAL_POLL, RIVAL_WAIT, SYNC_PROVISIONING_BUDGET
from tripwire_shared.tracing import Span, Tracer, now

# A rival that fails between our insert and our look frees the e-mail: then we try again, but not for ever.
ACCEPT_TRIES = 3


@dataclass(frozen=True)
class Accepted:
    """What the caller is told: 202 (`user_id` is None) or 201. Bodies are functions of this; none is stored."""

    request_id: UUID
    email: str
    mode: RequestMode
    user_id: UUID | None
    replayed: bool = False


class Intake:
    def __init__(
        self,
        store: RequestStore,
        mode_cache: ModeCache,
        breaker: Breaker,
        queue: RequestQueue,
        provisioning: Provisioning,
        sealer: Sealer,
        fingerprints: Signer,
        writer: BackgroundWriter,
        hashing: FewAtOnce,
        tracer: Tracer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._mode_cache, self._breaker = store, mode_cache, breaker
        self._group = AcceptGroup(store, breaker, queue)
        self._provisioning, self._sealer, self._fingerprints = provisioning, sealer, fingerprints
        self._writer, self._hashing, self._tracer, self._clock = writer, hashing, tracer, clock

    def accept(self, customer: NewCustomer, staff_id: UUID, key: str | None) -> Accepted:
        """Takes `customer` in for a member of staff.

        Raises DatabaseUnavailable where it could not be stored (nothing was kept), EmailTaken, KeyInUse, KeyReused.
        """
        mode = self._way()
        new = self._new_request(customer, staff_id, key, mode)
        began = now()
        entry = self._group.take_in(new)
        if entry is Entry.REFUSED:
            told = self._replay_or_store(new)
            if told is not None:
                return told
            if mode is RequestMode.ASYNC and self._group.queue([new]):
                entry = Entry.QUEUED
        self._tracer.record(Span.ACCEPT, new.id, began, {"queued": entry is Entry.QUEUED, "mode": mode.value})
        if entry is Entry.QUEUED:
            return Accepted(new.id, customer.email, mode, user_id=None)
        return self._provision_now(new, RequestMode.FALLBACK if mode is RequestMode.ASYNC else mode)

    def _way(self) -> RequestMode:
        if self._mode_cache.current().mode is Mode.SYNC_DIRECT:
            return RequestMode.SYNC
        return RequestMode.FALLBACK if self._breaker.state is BreakerState.OPEN else RequestMode.ASYNC

    def _new_request(self, customer: NewCustomer, staff_id: UUID, key: str | None, mode: RequestMode) -> NewRequest:
        # As it waits in the row until a worker hashes it: encrypted, and cheap enough for this path.
        sealed = None if customer.password is None else self._sealer.seal(customer.password)
        # No plain hash: the body may hold a password, and a plain hash could be searched.
        fingerprint = self._fingerprints.sign(_canonical(customer)) if key else None
        answer = 202 if mode is RequestMode.ASYNC else None
        return NewRequest(uuid4(), customer, sealed, staff_id, mode, answer, key, fingerprint)

    def _replay_or_store(self, new: NewRequest) -> Accepted | None:
        """For one that was not stored, alone: what the same key was told before; None where it is stored after all.
        Raises for a rival with the e-mail or the key."""
        for tried in range(1, ACCEPT_TRIES + 1):
            if tried > 1 and self._store.accept([new]):
                return None
            rival = self._store.find_rival(new)
            if rival is None:
                if (user_id := self._store.find_auth_user(new.customer.email)) is not None:
                    raise EmailTaken(user_id=user_id)
                continue
            if rival.id == new.id:
                return None  # our own: the answer to the first insert was lost
            answer = answer_of(rival, self._store, same_body=self._is_same_body(rival, new))
            if answer is not None:
                user_id = rival.user_id if answer == 201 else None
                return Accepted(rival.id, rival.email, replayed_mode(rival.mode, answer), user_id, replayed=True)
        raise Conflict("Others ask for the same e-mail address right now; try again in a moment.")

    def _is_same_body(self, rival: Rival, new: NewRequest) -> bool:
        """Whether the rival came with the same body; also where its fingerprint was made with the previous secret."""
        return rival.fingerprint is not None and self._fingerprints.verify(_canonical(new.customer), rival.fingerprint)

    def _provision_now(self, new: NewRequest, mode: RequestMode) -> Accepted:
        """From here on nothing is lost: whatever happens, the answer is 201, 202, or who has the e-mail."""
        try:
            with self._hashing.one() if new.sealed_password else nullcontext(), within(SYNC_PROVISIONING_BUDGET):
                user_id, taken = self._created(new, mode)
        except Exception as error:
            if not isinstance(error, DatabaseUnavailable | TooManyAtOnce):
                get_logger(__name__).exception("the direct path failed unexpectedly", request_id=str(new.id))
            get_logger(__name__).warning("stored, but not finished now", request_id=str(new.id))
            # Perhaps only the answer to the commit was lost, and the row says 201 by now.
            self._writer.submit(_ToldLater(self._store, new.id, mode))
            return Accepted(new.id, new.customer.email, RequestMode.SYNC, user_id=None)
        if taken is not None:
            raise taken
        return Accepted(new.id, new.customer.email, mode if user_id else RequestMode.SYNC, user_id)

    def _created(self, new: NewRequest, mode: RequestMode) -> tuple[UUID | None, EmailTaken | None]:
        """The auth user where the customer is there now; or who has the e-mail; or neither: it is tried again."""
        fallback = mode is RequestMode.FALLBACK
        [attempt] = self._provisioning.provision_new([new.id], Door.DIRECT, fallback=fallback) or [
            Attempt(new.id, Outcome.NOT_MINE)
        ]
        if attempt.outcome is not Outcome.NOT_MINE and attempt.outcome is not Outcome.DUPLICATE:
            return attempt.user_id, None
        request = self._settled(new.id)
        if request.status is RequestStatus.DUPLICATE:
            self._store.free_key(new.id)
            return None, self._store.who_has(new.customer.email)
        # A worker did it, who does not know what is told here.
        self._store.note_answer(new.id, 201 if request.user_id else 202, mode)
        return request.user_id, None

    def _settled(self, request_id: UUID) -> Request:
        """The request as it stands; where a worker has it (a timed-out enqueue was applied), after a second at most."""
        request = self._store.get(request_id)
        give_up_at = self._clock() + RIVAL_WAIT
        while not request.finished and self._clock() < give_up_at:
            time.sleep(RIVAL_POLL)
            request = self._store.get(request_id)
        return request


@dataclass(frozen=True)
class _ToldLater:
    """That 202 was told while the row could not be reached: its key has to replay just that."""

    store: RequestStore
    request_id: UUID
    mode: RequestMode

    def write(self) -> None:
        self.store.note_answer(self.request_id, 202, self.mode)

    def say_without_database(self) -> None:
        return


def _canonical(customer: NewCustomer) -> bytes:
    """The whole body, the password too: another password is another body."""
    return json.dumps(asdict(customer), sort_keys=True).encode()
