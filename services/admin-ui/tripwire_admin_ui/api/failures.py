"""What an answer of the API can mean instead of success: the one table from statuses and problems to failures."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from tripwire_shared.answers.answer import UnreadableAnswer, load
from tripwire_shared.answers.problem import Problem


class ApiFailure(Exception):
    """The API did not do what was asked; the message is a sentence for people."""


class ApiUnreachable(ApiFailure):
    """No answer of the API. `may_have_arrived`: it may nevertheless have done what was asked."""

    words, outcome = "The API cannot be reached.", "unreachable"

    def __init__(self, *, may_have_arrived: bool) -> None:
        super().__init__(self.words)
        self.may_have_arrived = may_have_arrived


class ApiTooSlow(ApiUnreachable):
    """The API was reached, or may have been, and did not answer within the page's time."""

    words, outcome = "The API did not answer in time.", "too_slow"


class DatabaseAway(ApiFailure):
    """The API says that it cannot reach its database."""


class NotSignedIn(ApiFailure):
    """The API does not accept the token, or the e-mail and password."""


class NotAllowed(ApiFailure):
    """The person's role may not do this."""


class NotThere(ApiFailure):
    """There is no such thing, or the person may not see it."""


class Conflict(ApiFailure):
    """What is there already does not allow this; the message is the API's reason."""


class EmailTaken(Conflict):
    """Whose the e-mail is, as far as the person may know: a request under way, or a customer or auth user."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.request_id, self.user_id = problem.request_id, problem.user_id


class KeyInUse(Conflict):
    """The same form, sent before, is being answered right now."""


class TooManyTries(ApiFailure):
    """The sign-in throttle; `wait_seconds` is None where the API did not say."""

    def __init__(self, wait_seconds: int | None) -> None:
        super().__init__("Too many tries.")
        self.wait_seconds = wait_seconds


class TooSoon(ApiFailure):
    """The same was asked for a moment ago, or too much at once; the message is the API's reason."""

    def __init__(self, message: str, wait_seconds: int | None) -> None:
        super().__init__(message or "That was asked for a moment ago.")
        self.wait_seconds = wait_seconds


class FieldsRefused(ApiFailure):
    """The API refuses what was entered; the message says which field and why, `errors` the same for each field."""

    def __init__(self, message: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or {}


class KeyReused(FieldsRefused):
    """The same form was sent before with other entries, and may have arrived."""


# Problems that share their status with others are known by their title.
TITLED: Mapping[str, Callable[[Problem], ApiFailure]] = {
    "Database unavailable": lambda _: DatabaseAway("The API cannot reach its database."),
    "E-mail address taken": EmailTaken,
    "Idempotency-Key in use": lambda problem: KeyInUse(problem.detail),
    "Idempotency-Key reused": lambda problem: KeyReused(problem.detail),
}
# Statuses that mean the same wherever they come.
PLAIN: Mapping[int, type[ApiFailure]] = {
    HTTPStatus.UNAUTHORIZED: NotSignedIn,
    HTTPStatus.FORBIDDEN: NotAllowed,
    HTTPStatus.CONFLICT: Conflict,
}


OF_A_PROXY: Mapping[int, type[ApiUnreachable]] = {
    HTTPStatus.BAD_GATEWAY: ApiUnreachable,
    HTTPStatus.SERVICE_UNAVAILABLE: ApiUnreachable,
    HTTPStatus.GATEWAY_TIMEOUT: ApiTooSlow,
}


def failure_of(status: int, headers: Mapping[str, str], content: bytes, *, answers_token: bool) -> ApiFailure:
    """The one table from the API's statuses to failures."""
    try:
        problem = load(Problem, content)
    except UnreadableAnswer:
        return _of_a_proxy(status)
    if problem.title in TITLED:
        return TITLED[problem.title](problem)
    detail = problem.detail or problem.title
    if status in PLAIN:
        return PLAIN[status](detail)
    match status:
        case HTTPStatus.NOT_FOUND:
            return NotThere(detail)
        case HTTPStatus.UNPROCESSABLE_ENTITY | HTTPStatus.BAD_REQUEST:
            errors = {field: " ".join(why) for field, why in problem.errors.items()}
            words = "; ".join(f"{field}: {why}" for field, why in errors.items())
            return FieldsRefused(words or detail, errors)
        case HTTPStatus.TOO_MANY_REQUESTS:
            given = headers.get("Retry-After", "")
            wait = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else None
            return TooSoon(detail, wait) if answers_token else TooManyTries(wait)
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return ApiFailure(detail)  # it is busy, or another server than the database is away
    return ApiFailure(f"The API answered {status}: {detail}")


def _of_a_proxy(status: int) -> ApiFailure:
    """No problem document: it is not our API that answers."""
    if status in OF_A_PROXY:
        return OF_A_PROXY[status](may_have_arrived=True)
    return PLAIN[status]("") if status in PLAIN else ApiFailure(f"The API answered {status}.")
