"""The settings of a process: read once from the environment, checked whole, then frozen.

Every variable is one field below, named like the variable in lower case. A process that finds a bad or missing value
ends with one line that names all of them (`SettingsError`), so that nobody repairs an environment one error at a time.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from dotenv import dotenv_values

from tripwire_shared import setting_rules as rules

T = TypeVar("T")


class SettingsError(Exception):
    """The environment holds bad or missing values; the message names every one of them in one line."""


def _variable(parse: Callable[[str], T], default: str = "", *, secret: bool = False) -> T:
    """A field filled from the environment: `parse` raises ValueError with the reason, `secret` allows NAME_FILE."""
    value: Any = field(repr=not secret, metadata={"parse": parse, "default": default, "secret": secret})
    return value  # type: ignore[no-any-return]  # dataclasses.field stands in for the value it will hold


_HTTP = rules.url("http", "https")
_PORT = rules.whole(1, 65535)


@dataclass(frozen=True)
class Settings:
    """All settings (contract, section 2). A name ends in `_seconds`, `_minutes` or `_days` where that is its unit."""

    database_url: str = _variable(rules.database_url, secret=True)
    database_listen_url: str = _variable(rules.database_url, secret=True)
    redis_url: str = _variable(rules.redis_url, secret=True)
    redis_host: str = _variable(rules.host)
    redis_port: int = _variable(_PORT, "6379")
    secret_key: str = _variable(rules.secret_key, secret=True)
    # Of any length: whoever has a key that was too short must be able to leave it.
    secret_key_previous: str = _variable(rules.text, secret=True)
    trusted_proxies: tuple[rules.Network, ...] = _variable(rules.networks, "127.0.0.1/32")
    api_host: str = _variable(rules.host, "127.0.0.1")
    api_port: int = _variable(_PORT, "8000")
    admin_ui_host: str = _variable(rules.host, "127.0.0.1")
    admin_ui_port: int = _variable(_PORT, "8080")
    api_url: str = _variable(_HTTP, "http://127.0.0.1:8000")
    public_url: str = _variable(_HTTP)
    admin_email: str = _variable(rules.mail_address, "admin@example.com")
    admin_password: str = _variable(rules.text, secret=True)
    start_worker: bool = _variable(rules.truth, "true")
    worker_concurrency: int = _variable(rules.whole(1, 100), "5")
    worker_rate_limit: int = _variable(rules.whole(0, 100_000), "10")
    worker_metrics_host: str = _variable(rules.host, "127.0.0.1")
    worker_metrics_port: int = _variable(rules.whole(0, 65535), "0")
    job_max_attempts: int = _variable(rules.whole(1, 20), "3")
    job_backoff_seconds: float = _variable(rules.seconds(0, 3600), "2")
    config_cache_ttl_seconds: float = _variable(rules.seconds(0.1, 3600), "60")
    health_log_retention_days: int = _variable(rules.whole(1, 3650), "7")
    sweep_interval_seconds: float = _variable(rules.seconds(0.05, 60), "1")
    sweep_after_seconds: float = _variable(rules.seconds(0, 3600), "5")
    telegram_bot_token: str = _variable(rules.text, secret=True)
    telegram_admin_chat_id: str = _variable(rules.text)
    telegram_api_url: str = _variable(_HTTP, "https://api.telegram.org")
    smtp_url: str = _variable(rules.smtp_url, secret=True)
    mail_from: str = _variable(rules.mail_address, "welcome@example.com")
    mail_ehlo_name: str = _variable(rules.ehlo_name)
    academy_name: str = _variable(rules.one_line)
    course_name: str = _variable(rules.one_line)
    login_url: str = _variable(_HTTP)
    support_contact: str = _variable(rules.one_line)
    default_language: str = _variable(rules.one_of("en", "ru", "kk"), "en")
    time_zone: str = _variable(rules.time_zone, "UTC")
    api_rate_limit: int = _variable(rules.whole(0, 1_000_000), "300")
    web_concurrency: int = _variable(rules.whole(1, 64), "2")
    web_threads: int = _variable(rules.whole(1, 256), "8")
    identity_provider: str = _variable(rules.one_of("postgres", "supabase"), "postgres")
    supabase_url: str = _variable(_HTTP)
    supabase_service_role_key: str = _variable(rules.text, secret=True)
    backup_folder: str = _variable(rules.text, "backups")
    backup_keep: int = _variable(rules.whole(1, 10_000), "48")
    backup_keep_days: int = _variable(rules.whole(1, 3650), "30")
    backup_interval_minutes: int = _variable(rules.whole(1, 10_080), "60")
    otel_exporter_otlp_endpoint: str = _variable(_HTTP)
    tripwire_version: str = _variable(rules.text)
    log_level: str = _variable(rules.one_of("debug", "info", "warning", "error"), "info")
    log_format: str = _variable(rules.one_of("json", "console"), "json")

    @property
    def queue_url(self) -> str:
        """Where Redis is: REDIS_URL, or built from REDIS_HOST and REDIS_PORT; empty if neither is set."""
        if self.redis_url or not self.redis_host:
            return self.redis_url
        return f"redis://{host_and_port(self.redis_host, self.redis_port)}/0"

    @property
    def listen_url(self) -> str:
        """The direct database connection for LISTEN."""
        return self.database_listen_url or self.database_url

    @property
    def link_prefix(self) -> str:
        """What links in mails begin with, without a slash at the end."""
        return (self.public_url or address(self.api_host, self.api_port)).rstrip("/")

    @property
    def version(self) -> str:
        """Of what runs: as the deploy named it, else the package's."""
        return self.tripwire_version or metadata.version("tripwire-shared")

    @property
    def telegram_configured(self) -> bool:
        return bool(self.telegram_bot_token and self.telegram_admin_chat_id)

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The key that is written with, then the one that is still read."""
        return (self.secret_key, self.secret_key_previous) if self.secret_key_previous else (self.secret_key,)


def host_and_port(host: str, port: int) -> str:
    """Both as one text, as servers and addresses take it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address(host: str, port: int) -> str:
    """The address under which a server bound to `host` and `port` is reached from this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{host_and_port(reachable, port)}"


def variable_defaults() -> dict[str, str]:
    """Every variable with its default as text, in order; `.env.example` is compared with it."""
    return {item.name.upper(): item.metadata["default"] for item in fields(Settings)}


def secret_variables() -> frozenset[str]:
    """The variables that may also be given as NAME_FILE."""
    return frozenset(item.name.upper() for item in fields(Settings) if item.metadata["secret"])


# What nothing that provisions can do without.
NEEDED = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")


def load_settings(
    required: tuple[str, ...] = (), environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")
) -> Settings:
    """Reads and checks every variable; the process environment wins over `dotenv`.

    An empty value counts as not given. Raises SettingsError naming every bad value and every one of `required`
    that is missing.
    """
    given = given_variables(os.environ if environ is None else environ, dotenv)
    problems: list[str] = []
    values: dict[str, Any] = {}
    for item in fields(Settings):
        name = item.name.upper()
        try:
            raw = _raw(name, given, secret=item.metadata["secret"])
            values[item.name] = item.metadata["parse"](raw or item.metadata["default"])
            stand_in = name == "REDIS_URL" and given.get("REDIS_HOST")
            if name in required and not raw and not stand_in:
                problems.append(f"{name} is missing")
        except ValueError as error:
            problems.append(f"{name} {error}")
    problems += _contradictions(values)
    if problems:
        raise SettingsError("Bad settings: " + "; ".join(problems))
    return Settings(**values)


def given_variables(environ: Mapping[str, str], dotenv: Path | None) -> dict[str, str]:
    """What is given, of the two places together. Raises SettingsError where `dotenv` cannot be read."""
    try:
        # Not interpolated: a `$` in a password is a `$`.
        from_file = dotenv_values(dotenv, interpolate=False) if dotenv is not None and dotenv.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"Bad settings: {dotenv} cannot be read ({type(error).__name__})") from None
    given = {name: value for name, value in environ.items() if value}
    said = {_subject(name) for name in given}
    return {name: value for name, value in from_file.items() if value and _subject(name) not in said} | given


def _subject(name: str) -> str:
    """What a variable speaks of: two names for one thing in two places are no contradiction, the environment wins."""
    plain = name.removesuffix("_FILE")
    return "REDIS" if plain in ("REDIS_URL", "REDIS_HOST") else plain


def _raw(name: str, given: Mapping[str, str], *, secret: bool) -> str:
    value = given.get(name, "")
    path = given.get(f"{name}_FILE", "") if secret else ""
    if not path:
        return value
    if value:
        raise ValueError(f"is given twice, also as {name}_FILE")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot be read from {name}_FILE ({type(error).__name__})") from None


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    """Of those variables that are right each by itself."""
    problems = []
    pair = ("telegram_bot_token", "telegram_admin_chat_id")
    if len({bool(values[name]) for name in pair if name in values}) == 2:
        problems.append("TELEGRAM_BOT_TOKEN and TELEGRAM_ADMIN_CHAT_ID go together")
    if values.get("identity_provider") == "supabase":
        problems += [
            f"{name.upper()} is missing (IDENTITY_PROVIDER is supabase)"
            for name in ("supabase_url", "supabase_service_role_key")
            if values.get(name) == ""
        ]
    return problems
