"""A list that renews itself does not push rows under the reader: later ones are counted, and shown on demand. Pure."""

from datetime import UTC, datetime, timedelta

from tripwire_admin_ui.frame.list_filters import ListFilter

# PostgreSQL's times are whole microseconds: one more than the newest row's is after it, and before any later one.
JUST_AFTER = timedelta(microseconds=1)


def shown_until(given: str, wanted: ListFilter) -> str:
    """The end of what the page shows, as it came with a refresh. Empty: all, up to now."""
    if wanted.cursor:
        return ""
    try:
        return datetime.fromisoformat(given).isoformat()
    except ValueError:
        return ""


def until_newest(newest: datetime | None, wanted: ListFilter) -> str:
    """The end of what the page shows, after its `newest` row; what a refresh is to send along."""
    return (newest + JUST_AFTER).isoformat() if newest and not wanted.cursor else ""


def rows_query(wanted: ListFilter, until: str, limit: int) -> dict[str, str]:
    """For the API: the rows up to `until`."""
    query = dict(wanted.query(datetime.now(UTC), limit))
    return query | ({"to": until} if until and "to" not in query else {})


def later_query(wanted: ListFilter, until: str) -> dict[str, str]:
    """For the API: the later ones, of which only the number is wanted."""
    return {**wanted.query(datetime.now(UTC), 1), "from": until}
