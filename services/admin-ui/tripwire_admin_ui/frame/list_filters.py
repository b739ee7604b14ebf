"""What a list is narrowed to: read from the page's address, written back into its links, asked of the API. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

SPANS = {
    "": "Any time",
    "hour": "Last hour",
    "today": "Today",
    "day": "Last 24 hours",
    "week": "Last 7 days",
    "range": "From … to",
}
WIDEST_ZONE = 14 * 60
LONGEST_TEXT = 254


@dataclass(frozen=True)
class Span:
    """A stretch of time as the reader chose it; `zone` is what the reader's clock is ahead of UTC, in minutes."""

    name: str
    begin: str
    end: str
    zone: int

    @property
    def problem(self) -> str:
        """What is wrong with the entered times, in a sentence; empty where nothing is."""
        if self.name != "range":
            return ""
        begin, end = self._moment(self.begin), self._moment(self.end, whole_day=True)
        for label, given, moment in (("From", self.begin, begin), ("To", self.end, end)):
            if given and moment is None:
                return f"“{label}” is not a time such as 2026-11-24T14:00."
        return "“From” lies after “To”." if begin and end and begin > end else ""

    def shown(self, given: str) -> str:
        """What an entry field can show again: a browser takes no other text into it."""
        return given if self._moment(given) else ""

    def bounds(self, now: datetime) -> Mapping[str, str]:
        """`from` and `to` as the API takes them."""
        if self.name == "range" and not self.problem:
            found = {"from": self._moment(self.begin), "to": self._moment(self.end, whole_day=True)}
            return {name: value.isoformat() for name, value in found.items() if value}
        begins = {
            "hour": now - timedelta(hours=1),
            "today": now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0),
            "day": now - timedelta(days=1),
            "week": now - timedelta(days=7),
        }
        return {"from": begins[self.name].astimezone(UTC).isoformat()} if self.name in begins else {}

    @property
    def _zone(self) -> timezone:
        return timezone(timedelta(minutes=self.zone))

    def _moment(self, given: str, *, whole_day: bool = False) -> datetime | None:
        """In UTC; None where it is none, or lies beyond the years that there are. As the end of a span a day counts
        whole."""
        try:
            value = datetime.fromisoformat(given)
            later = timedelta(days=whole_day and _is_day(given))
            return (value if value.tzinfo else value.replace(tzinfo=self._zone)).astimezone(UTC) + later
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class ListFilter:
    """`status` is the tab; `fields` are the list's own words (q, mode, manager_id) that were given."""

    status: str
    fields: Mapping[str, str]
    span: Span
    cursor: str

    @property
    def narrowed(self) -> bool:
        return bool(self.fields or self.span.name)

    def args(self, **changed: str) -> Mapping[str, str]:
        """For url_for: the whole filter without the place in the list, with `changed` in it."""
        return {name: value for name, value in {**self._written(), **changed}.items() if value}

    def query(self, now: datetime, limit: int) -> Mapping[str, str]:
        """For the API."""
        place = {"status": self.status, "cursor": self.cursor, "limit": str(limit)}
        given = {**self.matching(now), **place}
        return {name: value for name, value in given.items() if value}

    def matching(self, now: datetime) -> Mapping[str, str]:
        """For the API: what matches, whatever its state."""
        return {**self.fields, **self.span.bounds(now)}

    def _written(self) -> Mapping[str, str]:
        span = self.span
        ends = {"from": span.begin, "to": span.end} if span.name == "range" else {}
        zone = {"zone": str(span.zone)} if span.name in ("today", "range") and span.zone else {}
        return {"status": self.status, **self.fields, "when": span.name, **ends, **zone}


def read_filter(args: Mapping[str, str], statuses: Iterable[str], fields: Iterable[str]) -> ListFilter:
    """Unknown words are left out: a link from elsewhere shows more, never an error."""
    status, span = args.get("status", ""), args.get("when", "")
    given = {name: args.get(name, "").strip()[:LONGEST_TEXT] for name in fields}
    return ListFilter(
        status=status if status in statuses else "",
        fields={name: value for name, value in given.items() if value},
        span=Span(span if span in SPANS else "", args.get("from", ""), args.get("to", ""), _zone(args.get("zone", ""))),
        cursor=args.get("cursor", "")[:200],
    )


def _is_day(given: str) -> bool:
    try:
        date.fromisoformat(given)
    except ValueError:
        return False
    return True


def _zone(given: str) -> int:
    try:
        minutes = int(given)
    except ValueError:
        return 0
    return minutes if abs(minutes) <= WIDEST_ZONE else 0
