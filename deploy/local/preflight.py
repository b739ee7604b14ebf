"""What is looked at before anything starts, so that a failure is one clear line."""

from contextlib import closing
from urllib.parse import urlsplit

import psycopg2
from redis.exceptions import RedisError

from deploy.local.data_folder import is_free
from deploy.local.errors import CannotStart
from tripwire_shared import timings
from tripwire_shared.postgres.listen_url import check_listen_url
from tripwire_shared.queue.redis_link import build_fail_fast_redis
from tripwire_shared.redis_address import read_redis_address
from tripwire_shared.settings import Settings

_OLDEST_POSTGRES = 15


def check_ports(settings: Settings) -> None:
    """Raises CannotStart where the API or the admin UI could not listen."""
    for name, host, port in (
        ("API", settings.api_host, settings.api_port),
        ("ADMIN_UI", settings.admin_ui_host, settings.admin_ui_port),
    ):
        try:
            free = is_free(host, port)
        except OSError as error:
            raise CannotStart(f"{name}_HOST {host}, {name}_PORT {port} cannot be used: {error.strerror}.") from None
        if not free:
            raise CannotStart(f"{name}_PORT {port} on {host} is taken by another program.")
    if settings.api_port == settings.admin_ui_port:
        raise CannotStart(f"API_PORT and ADMIN_UI_PORT are the same ({settings.api_port}).")


def check_database(settings: Settings) -> None:
    """Raises CannotStart where the database lets nobody in or is too old; SettingsError where LISTEN cannot hear."""
    if settings.database_listen_url and not settings.database_url:
        raise CannotStart("DATABASE_LISTEN_URL is given without DATABASE_URL.")
    for name, url in (("DATABASE_URL", settings.database_url), ("DATABASE_LISTEN_URL", settings.database_listen_url)):
        if url:
            _check_server(name, url)
    if settings.database_url:
        check_listen_url(settings)


def _check_server(name: str, url: str) -> None:
    try:
        with closing(psycopg2.connect(url, connect_timeout=timings.LOCAL_CONNECT_TIMEOUT)) as connection:
            version = connection.server_version // 10_000
    except psycopg2.Error as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise CannotStart(f"{name}: the database cannot be reached: {without_password(reason, url)}") from None
    if version < _OLDEST_POSTGRES:
        raise CannotStart(f"{name}: PostgreSQL {_OLDEST_POSTGRES} or newer is needed, this is {version}.")


def complaint_about_redis(url: str) -> str | None:
    """Why Redis does not answer, in one line; None where it does."""
    address = read_redis_address(url)
    try:
        with closing(build_fail_fast_redis(url, 1, timings.LOCAL_HTTP_TIMEOUT)) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        reason = str(error)
        for secret in address.secrets:
            reason = reason.replace(secret, "***")
        return f"Redis at {address.shown} cannot be used: {reason.rstrip('.')}"
    return None


def without_password(text: str, url: str) -> str:
    """A server's or driver's complaint, fit to be shown."""
    password = urlsplit(url).password
    return text.replace(password, "***") if password else text
