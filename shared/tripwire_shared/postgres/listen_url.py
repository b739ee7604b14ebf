"""Whether LISTEN can work with the addresses given: looked at once, when a process starts.

Without it a switch would reach a process a minute late, and nobody would know. So it is a bad setting like any other:
the process ends with one line.
"""

from contextlib import closing
from typing import Any

import psycopg2
import psycopg2.extensions

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.network.name_lookups import NameLookups
from tripwire_shared.postgres.database import Connection, install_wait_limit, within
from tripwire_shared.postgres.session import SessionShared, connect, connect_to_listen
from tripwire_shared.runtime import THREADS
from tripwire_shared.settings import Settings, SettingsError
from tripwire_shared.timings import LISTEN_CHECK_LIMIT

_NAME = "tripwire-start"


def check_listen_url(settings: Settings) -> None:
    """Raises SettingsError where what is sent through DATABASE_URL would not be heard.

    Takes LISTEN_CHECK_LIMIT at most. Where PostgreSQL does not answer it says nothing: processes start without it, and
    a listener that finds a pooler later says so. Call it before other threads use psycopg2: it limits the waits of the
    process meanwhile.
    """
    limit = psycopg2.extensions.get_wait_callback()
    install_wait_limit(LISTEN_CHECK_LIMIT, THREADS.wait)  # nobody else is served yet
    try:
        with within(LISTEN_CHECK_LIMIT):
            _check(settings)
    except SessionShared:
        given = bool(settings.database_listen_url)
        problem = "DATABASE_LISTEN_URL" if given else "DATABASE_LISTEN_URL is missing: DATABASE_URL"
        raise SettingsError(
            f"Bad settings: {problem} leads to a transaction pooler, where LISTEN hears nothing; it must be the "
            "address of the server itself"
        ) from None
    except (psycopg2.Error, DatabaseUnavailable):
        return
    finally:
        psycopg2.extensions.set_wait_callback(limit)


def _check(settings: Settings) -> None:
    lookups = NameLookups()
    with closing(connect_to_listen(settings.listen_url, _NAME, lookups)) as listening:
        if settings.listen_url == settings.database_url:
            return
        with closing(connect(settings.database_url, _NAME, lookups)) as sending:
            # The role too: others' sessions show no receipt, and what one migrates the other might not use.
            if _place_of(listening) != _place_of(sending):
                raise SettingsError(
                    "Bad settings: DATABASE_LISTEN_URL leads to another server, database or role than DATABASE_URL"
                )


def _place_of(connection: Connection) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_postmaster_start_time(), current_database(), current_user")
        return cursor.fetchone()
