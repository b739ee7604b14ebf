"""Which database a backup or restore is about: that of DATABASE_URL, else the one that `make run` keeps."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from psycopg2.extensions import parse_dsn

from deploy.local.data_folder import DataFolder
from deploy.local.errors import CannotStart, RunningAlready
from deploy.local.preflight import without_password
from deploy.local.system import own_postgres
from tripwire_shared import timings
from tripwire_shared.settings import Settings


@dataclass(frozen=True)
class MeantDatabase:
    """`said` is what people call it; `server` the major version."""

    said: str
    url: str
    server: int

    @property
    def name(self) -> str:
        parts = parse_dsn(self.url)
        return parts.get("dbname") or parts.get("user") or "database"


@contextmanager
def meant_database(settings: Settings, folder: Path, *, make: bool) -> Iterator[MeantDatabase]:
    """The database, able to answer. That of a stopped run is started for the block; with `make` an absent one is made.

    Raises CannotStart where there is none, or it does not answer.
    """
    if settings.listen_url:
        # The direct address, where there are two: pg_dump needs a session of its own.
        parts = urlsplit(settings.listen_url)
        said = f"the database {parts.path.lstrip('/')} at {parts.hostname or 'this machine'}"
        yield _answering(said, settings.listen_url)
        return
    data = DataFolder(folder / ".data")
    if not make and not (data.path / "postgres" / "data" / "PG_VERSION").is_file():
        raise CannotStart(
            "There is no database here: no DATABASE_URL is given, `make run` has made none, `make up` neither."
        )
    lines: list[str] = []
    try:
        data.take()
    except RunningAlready:
        # Its port is the one that it wrote down; nobody else takes it meanwhile.
        server = own_postgres(data, data.last_port("postgres"), lines.append)
        yield _answering("the database of the `make run` that runs here", server.url)
        return
    server = own_postgres(data, data.port("postgres"), lines.append)
    try:
        server.start()
        server.make_database()
        yield _answering("the database of `make run`, which is stopped", server.url)
    finally:
        server.stop()


def _answering(said: str, url: str) -> MeantDatabase:
    try:
        connection = psycopg2.connect(url, connect_timeout=timings.LOCAL_CONNECT_TIMEOUT)
    except psycopg2.Error as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise CannotStart(f"{said[0].upper()}{said[1:]} cannot be reached: {without_password(reason, url)}") from None
    try:
        return MeantDatabase(said, url, connection.server_version // 10_000)
    finally:
        connection.close()
