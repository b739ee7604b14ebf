"""What an incident's cause means in words. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """`down` is what a chart's mark says of it; `title` names the incident, in lists and in a sentence."""

    down: str
    title: str


CAUSES = {
    "queue unavailable": Cause("Redis down", "Redis could not be reached"),
    "database unavailable": Cause("Database down", "The database could not be reached"),
    "worker absent": Cause("No worker", "No worker was running"),
    "alerts undeliverable": Cause("Telegram failing", "Telegram took no alerts"),
    "mail failing": Cause("Mail failing", "The mail server took no mails"),
    "requests failing": Cause("Requests failing", "Requests failed after all attempts"),
}


def cause(word: str) -> Cause:
    """The words for a cause; one that this page does not know stands for itself."""
    return CAUSES.get(word) or Cause(word, word[:1].upper() + word[1:])
