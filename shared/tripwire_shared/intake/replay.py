"""What a request that found a rival is told: its own first answer again, or why it is refused."""

from tripwire_shared.answers.vocabulary import RequestMode, RequestStatus
from tripwire_shared.requests.request import EmailTaken, KeyInUse, KeyReused
from tripwire_shared.requests.request_store import RequestStore, Rival


def answer_of(rival: Rival, store: RequestStore, *, same_body: bool) -> int | None:
    """The answer (201 or 202) that the same key replays; None where the refusal is void by now: accept again.

    Raises KeyReused (same key, other body), KeyInUse (still being answered), EmailTaken (another's e-mail).
    """
    if not rival.same_key:
        raise EmailTaken(
            request_id=rival.id if rival.user_id is None else None, user_id=rival.user_id, staff_id=rival.staff_id
        )
    if not same_body:
        raise KeyReused
    if rival.answer is not None:
        return rival.answer
    if rival.status is RequestStatus.ACCEPTED and not rival.abandoned:
        raise KeyInUse
    return _settle(rival, store)


def _settle(rival: Rival, store: RequestStore) -> int | None:
    """The process that should have answered died, or lost the database: derive what it would say, and keep it.

    Had it finished the request itself, the answer would be there; so a worker or the sweep did.
    """
    if rival.status is RequestStatus.DUPLICATE:
        store.free_key(rival.id)
        return None
    answer = 201 if rival.status is RequestStatus.PROVISIONED else 202
    store.settle_answer(rival.id, answer)
    return answer


def replayed_mode(mode: RequestMode, answer: int) -> RequestMode:
    """A twin that was told 202 before the queue failed and one told 201 after it are both right: by the row."""
    return RequestMode.SYNC if answer == 202 and mode is RequestMode.FALLBACK else mode
