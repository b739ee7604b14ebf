"""The chat that alerts go to: the configured one, or the supergroup that this group became, which has another id."""

from collections.abc import Callable
from dataclasses import dataclass

from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.events.event import Event
from tripwire_shared.events.health_log import HealthLog
from tripwire_shared.late_writes import BackgroundWriter
from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.sql import load_queries


class TelegramChat:
    """As one process knows it; safe for threads, each of which reads or writes one attribute. `on_moved` gets the
    configured id and the new one, and must return at once."""

    def __init__(self, configured: str) -> None:
        self._configured = self._id = configured
        self._read: str | None = None
        self.on_moved: Callable[[str, str], None] = lambda *_: None

    @property
    def id(self) -> str:
        return self._id

    def moved(self, new: str) -> None:
        """Telegram said so: what follows goes there, also while PostgreSQL is away."""
        self._id = new
        self.on_moved(self._configured, new)

    def learn(self, stored: str | None) -> None:
        """What stands in PostgreSQL, often. It counts once, and only for the chat that is configured: another
        TELEGRAM_ADMIN_CHAT_ID wins."""
        if stored == self._read:
            return
        self._read = stored
        configured, _, new = (stored or "").partition(" ")
        if new and configured == self._configured:
            self._id = new


class TelegramChatStore:
    """Keeps the move for other processes and later starts, and says it once over all of them."""

    def __init__(self, database: Database, health_log: HealthLog, writer: BackgroundWriter) -> None:
        self._database, self._health_log, self._writer = database, health_log, writer
        self._sql = load_queries(__file__)

    def note_soon(self, configured: str, new: str) -> None:
        """Never raises and never costs the caller time."""
        self._writer.submit(_Moved(self, configured, new))

    def note(self, configured: str, new: str) -> None:
        """Raises DatabaseUnavailable."""
        with self._database.transaction() as connection:
            if self._sql.note_move(connection, moved=f"{configured} {new}"):
                message = f"Telegram's group became a supergroup: set TELEGRAM_ADMIN_CHAT_ID to {new}"
                about = {"chat_id": configured, "new_chat_id": new}
                self._health_log.record_in(connection, Event(EventType.WARNING, message, about))


@dataclass(frozen=True)
class _Moved:
    store: TelegramChatStore
    configured: str
    new: str

    def write(self) -> None:
        self.store.note(self.configured, self.new)

    def say_without_database(self) -> None:
        return
