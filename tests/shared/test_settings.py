"""The settings against the contract's table, and everything that may be wrong with them, in one line."""

import os
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from deploy.local.services import service
from tripwire_shared.settings import (
    Settings,
    SettingsError,
    load_settings,
    secret_variables,
    variable_defaults,
)

# The contract's table of variables, name by name, with the defaults that hold where nothing is said.
CONTRACT = {
    "DATABASE_URL": "",
    "DATABASE_LISTEN_URL": "",
    "REDIS_URL": "",
    "REDIS_HOST": "",
    "REDIS_PORT": "6379",
    "SECRET_KEY": "",
    "SECRET_KEY_PREVIOUS": "",
    "TRUSTED_PROXIES": "127.0.0.1/32",
    "API_HOST": "127.0.0.1",
    "API_PORT": "8000",
    "ADMIN_UI_HOST": "127.0.0.1",
    "ADMIN_UI_PORT": "8080",
    "API_URL": "http://127.0.0.1:8000",
    "PUBLIC_URL": "",
    "ADMIN_EMAIL": "admin@example.com",
    "ADMIN_PASSWORD": "",
    "START_WORKER": "true",
    "WORKER_CONCURRENCY": "5",
    "WORKER_RATE_LIMIT": "10",
    "JOB_MAX_ATTEMPTS": "3",
    "JOB_BACKOFF_SECONDS": "2",
    "CONFIG_CACHE_TTL_SECONDS": "60",
    "HEALTH_LOG_RETENTION_DAYS": "7",
    "SWEEP_INTERVAL_SECONDS": "1",
    "SWEEP_AFTER_SECONDS": "5",
    "TELEGRAM_BOT_TOKEN": "",
    "TELEGRAM_ADMIN_CHAT_ID": "",
    "TELEGRAM_API_URL": "https://api.telegram.org",
    "SMTP_URL": "",
    "MAIL_FROM": "welcome@example.com",
    "MAIL_EHLO_NAME": "",
    "ACADEMY_NAME": "",
    "COURSE_NAME": "",
    "LOGIN_URL": "",
    "SUPPORT_CONTACT": "",
    "DEFAULT_LANGUAGE": "en",
    "TIME_ZONE": "UTC",
    "API_RATE_LIMIT": "300",
    "WEB_CONCURRENCY": "2",
    "WEB_THREADS": "8",
    "IDENTITY_PROVIDER": "postgres",
    "SUPABASE_URL": "",
    "SUPABASE_SERVICE_ROLE_KEY": "",
    "LOG_LEVEL": "info",
    "LOG_FORMAT": "json",
}
REDIS_SCHEMES = "redis:// or rediss:// or redis+sentinel:// or rediss+sentinel://"
AS_IN = "after the Sentinels, as in host1,host2/NAME"
TRUTHS = "ssl_check_hostname=true or ssl_check_hostname=false"
NO_FILE = "that cannot be read (FileNotFoundError)"
KEY = "a-secret-key-for-tests-only-0123456789"
# What we have beyond the contract's table.
OUR_OWN = {
    "WORKER_METRICS_HOST": "127.0.0.1",
    "WORKER_METRICS_PORT": "0",
    "BACKUP_FOLDER": "backups",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    "TRIPWIRE_VERSION": "",
    "BACKUP_KEEP": "48",
    "BACKUP_KEEP_DAYS": "30",
    "BACKUP_INTERVAL_MINUTES": "60",
}
SECRETS = {
    "DATABASE_URL": "postgresql://u:p@h/d",
    "DATABASE_LISTEN_URL": "postgresql://u:p@h/d",
    "REDIS_URL": "redis://:p@h:6379/0",
    "SECRET_KEY": KEY,
    "SECRET_KEY_PREVIOUS": "k",
    "ADMIN_PASSWORD": "correct horse",
    "TELEGRAM_BOT_TOKEN": "1:a",
    "SMTP_URL": "smtp://u:p@h:587?starttls=true",
    "SUPABASE_SERVICE_ROLE_KEY": "k",
}
# A bad value of each variable that can have one.
BAD = {
    "DATABASE_URL": "mysql://u:hidden@h/d",
    "DATABASE_LISTEN_URL": "postgresql://u:hidden@h",
    "REDIS_URL": "http://:hidden@h",
    "REDIS_HOST": "redis://h",
    "REDIS_PORT": "0",
    "SECRET_KEY": "hidden" * 5,
    "TRUSTED_PROXIES": "everyone",
    "API_HOST": "http://h",
    "API_PORT": "65536",
    "ADMIN_UI_HOST": "a b",
    "ADMIN_UI_PORT": "80a",
    "API_URL": "127.0.0.1:8000",
    "PUBLIC_URL": "ftp://h",
    "ADMIN_EMAIL": "admin",
    "START_WORKER": "maybe",
    "WORKER_CONCURRENCY": "0",
    "WORKER_RATE_LIMIT": "-1",
    "JOB_MAX_ATTEMPTS": "0",
    "JOB_BACKOFF_SECONDS": "nan",
    "CONFIG_CACHE_TTL_SECONDS": "0",
    "HEALTH_LOG_RETENTION_DAYS": "7.5",
    "SWEEP_INTERVAL_SECONDS": "inf",
    "SWEEP_AFTER_SECONDS": "soon",
    "TELEGRAM_API_URL": "tg://h",
    "SMTP_URL": "smtp://u:hidden@h:port",
    "MAIL_FROM": "a@b c",
    "MAIL_EHLO_NAME": "localhost",
    "ACADEMY_NAME": "two\nlines",
    "COURSE_NAME": "x" * 101,
    "LOGIN_URL": "academy.example",
    "SUPPORT_CONTACT": "a\x00b",
    "DEFAULT_LANGUAGE": "de",
    "TIME_ZONE": "Asia/Nowhere",
    "API_RATE_LIMIT": "many",
    "WEB_CONCURRENCY": "0",
    "WEB_THREADS": "0",
    "IDENTITY_PROVIDER": "ldap",
    "SUPABASE_URL": "h",
    "WORKER_METRICS_HOST": "a b",
    "WORKER_METRICS_PORT": "-1",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318",
    "BACKUP_KEEP": "0",
    "BACKUP_KEEP_DAYS": "some",
    "BACKUP_INTERVAL_MINUTES": "0.5",
    "LOG_LEVEL": "loud",
    "LOG_FORMAT": "xml",
}


def refusal(environ: dict[str, str], dotenv: Path | None = None, required: tuple[str, ...] = ()) -> str:
    with pytest.raises(SettingsError) as raised:
        load_settings(required, environ, dotenv)
    return str(raised.value)


def test_every_variable_of_the_contract_with_its_default() -> None:
    assert variable_defaults() == CONTRACT | OUR_OWN
    settings = load_settings(environ={}, dotenv=None)
    assert (settings.worker_rate_limit, settings.start_worker, settings.sweep_after_seconds) == (10, True, 5.0)
    assert [str(network) for network in settings.trusted_proxies] == ["127.0.0.1/32"]


def test_settings_are_frozen_and_show_no_secret() -> None:
    settings = load_settings(environ=dict(SECRETS) | {"TELEGRAM_ADMIN_CHAT_ID": "1"}, dotenv=None)
    with pytest.raises(AttributeError):
        settings.api_port = 1  # type: ignore[misc]
    for item in fields(Settings):
        assert (f"{item.name}=" in repr(settings)) == (item.name.upper() not in SECRETS), item.name


def test_every_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    assert secret_variables() == set(SECRETS)
    environ = {"TELEGRAM_ADMIN_CHAT_ID": "1"}
    for name, value in SECRETS.items():
        (tmp_path / name).write_text(value + "\n", encoding="utf-8")
        environ[f"{name}_FILE"] = str(tmp_path / name)
    settings = load_settings(tuple(SECRETS), environ, None)
    assert {name: getattr(settings, name.lower()) for name in SECRETS} == SECRETS


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    said = refusal({"SECRET_KEY_FILE": str(tmp_path / "none"), "ADMIN_PASSWORD_FILE": str(tmp_path / "binary")})
    assert said == (
        "Bad settings: SECRET_KEY cannot be read from SECRET_KEY_FILE (FileNotFoundError);"
        " ADMIN_PASSWORD cannot be read from ADMIN_PASSWORD_FILE (UnicodeDecodeError)"
    )


def test_a_value_beside_its_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k", encoding="utf-8")
    said = refusal({"SECRET_KEY": "k", "SECRET_KEY_FILE": str(tmp_path / "key")})
    assert said == "Bad settings: SECRET_KEY is given twice, also as SECRET_KEY_FILE"


def test_every_bad_and_missing_variable_stands_in_one_line() -> None:
    said = refusal(BAD, required=("ADMIN_PASSWORD", "DATABASE_URL"))
    assert "\n" not in said
    named = [part.split()[0] for part in said.removeprefix("Bad settings: ").split("; ")]
    assert sorted(named) == sorted([*BAD, "ADMIN_PASSWORD"])
    assert "hidden" not in said


@pytest.mark.parametrize("name", [*BAD])
def test_each_bad_value_alone_is_refused_by_its_name(name: str) -> None:
    assert refusal({name: BAD[name]}).startswith(f"Bad settings: {name} ")


def test_every_variable_that_can_be_bad_is_tried() -> None:
    free = {"SECRET_KEY_PREVIOUS", "TRIPWIRE_VERSION", "ADMIN_PASSWORD", "TELEGRAM_BOT_TOKEN", "TELEGRAM_ADMIN_CHAT_ID"}
    assert set(BAD) == set(CONTRACT | OUR_OWN) - free - {"SUPABASE_SERVICE_ROLE_KEY", "BACKUP_FOLDER"}


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("DATABASE_URL", "postgresql://u:p@:5432/d", "has no host"),
        ("DATABASE_URL", "postgresql://u:p@h:54x2/d", "is not an address"),
        ("DATABASE_URL", "postgresql://u:p@h/", "names no database"),
        ("DATABASE_URL", "postgresql://u:p@h/d?pgbouncer=true", "has parameters that are not known"),
        ("DATABASE_URL", "postgresql://u:10%@h/d", "has a % that escapes nothing (write %25)"),
        ("DATABASE_URL", "postgresql://u:p@h/d\nLOG_LEVEL=debug", "is not an address"),
        ("DATABASE_URL", "postgresql://[::1/d", "is not an address"),
        ("DATABASE_URL", "h:5432/d", "must begin with postgresql:// or postgres://"),
        ("REDIS_URL", "redis://", "has no host"),
        ("REDIS_URL", "redis://h/first", "must end with a database's number, or without one"),
        ("REDIS_URL", "redis://h?socket_timeout=60", "has parameters that are not known"),
        ("REDIS_URL", "rediss+sentinel://h/m?socket_timeout=60", "has parameters that are not known"),
        ("REDIS_URL", "h:6379", f"must begin with {REDIS_SCHEMES}"),
        ("REDIS_URL", "redis+sentinels://h/m", f"must begin with {REDIS_SCHEMES}"),
        ("REDIS_URL", "redis://h#hidden", "is not an address"),
        ("REDIS_URL", "redis://h:70000", "is not an address"),
        ("REDIS_URL", "redis://h:hidden", "is not an address"),
        ("REDIS_URL", "redis://:hidden@h /0", "is not an address"),
        ("REDIS_URL", "redis://h1,h2/0", "names several hosts, which needs redis+sentinel:// or rediss+sentinel://"),
        ("REDIS_URL", "redis://h?sentinel_password=hidden", "has parameters that are not known"),
        ("REDIS_URL", "redis://h?ssl_ca_certs=/hidden", "has parameters of TLS, which needs rediss://"),
        ("REDIS_URL", "redis+sentinel://h/m?ssl_cert_reqs=none", "has parameters of TLS, which needs rediss://"),
        ("REDIS_URL", "redis+sentinel://h1,h2", f"must name the master {AS_IN}"),
        ("REDIS_URL", "redis+sentinel://h1,h2/", f"must name the master {AS_IN}"),
        ("REDIS_URL", "redis+sentinel://h1,h2/a%20b", f"must name the master {AS_IN}"),
        ("REDIS_URL", "redis+sentinel://h/m/first", "must end with a database's number, or without one"),
        ("REDIS_URL", "redis+sentinel://h/m/1/2", "must end with a database's number, or without one"),
        ("REDIS_URL", "redis+sentinel://h1,,h3/m", "has no host"),
        ("REDIS_URL", "redis+sentinel://:hidden@/m", "has no host"),
        ("REDIS_URL", "redis+sentinel://h1,h2:port/m", "is not an address"),
        ("REDIS_URL", "redis+sentinel://h1,[::1/m", "is not an address"),
        ("REDIS_URL", f"redis+sentinel://{'h,' * 9}h/m", "names more than 9 Sentinels"),
        ("REDIS_URL", "redis+sentinel://h/m?sentinel_username=u", "has sentinel_username without sentinel_password"),
        ("REDIS_URL", "redis+sentinel://h/m?sentinel_password=a&sentinel_password=hidden", "has a parameter twice"),
        ("REDIS_URL", "rediss://h?ssl_cert_reqs=hidden", "must have ssl_cert_reqs=required, optional or none"),
        ("REDIS_URL", "rediss://h?ssl_check_hostname=hidden", f"must have {TRUTHS}"),
        ("REDIS_URL", "rediss://h?ssl_keyfile=/hidden", "has ssl_keyfile without ssl_certfile"),
        ("REDIS_URL", "rediss://h?ssl_ca_certs=/hidden.pem", f"names a file in ssl_ca_certs {NO_FILE}"),
        ("REDIS_URL", "rediss+sentinel://h/m?ssl_ca_certs=/hidden.pem", f"names a file in ssl_ca_certs {NO_FILE}"),
        ("REDIS_URL", "rediss://h?ssl_certfile=/hidden.pem", f"names a file in ssl_certfile {NO_FILE}"),
        ("SMTP_URL", "smtp://h?starttls=on", "must have starttls=true or starttls=false"),
        ("SMTP_URL", "smtp://u?hidden@h", "has parameters that are not known"),
        ("API_URL", "http://h:8000?x=1", "must not have parameters"),
        ("PUBLIC_URL", "https://h/#x", "is not an address"),
        ("PUBLIC_URL", "https://", "has no host"),
        ("TELEGRAM_BOT_TOKEN", "1:a", "and TELEGRAM_ADMIN_CHAT_ID go together"),
    ],
)
def test_malformed_addresses_and_why(name: str, value: str, why: str) -> None:
    said = refusal({name: value})
    assert said == f"Bad settings: {name} {why}"
    assert "hidden" not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("MAIL_FROM", value) for value in (
            "welcome@localhost", "a@example.com,b@example.net", "a@example.com\r\nBcc: b@example.net", "a\x00@e.com",
            "Академия@example.com", "Academy <a@example.com>", "<a@example.com>", "a@example.com>", '"a b"@example.com',
            "a@example.com\u2028b", "a@exa\x0bmple.com", " a@example.com", "a@b@example.com", "@example.com",
        )),
        *(("MAIL_EHLO_NAME", value) for value in (
            "host", "host.example.com\r\nMAIL FROM:<a@example.net>", "host.example.com ", "хост.example", "192.0.2.1",
            "[192.0.2.256]", "[::1]", "[IPv6:fe80::1%eth0]", "host..example.com", ".example.com", "host.example.com.",
            "-host.example.com", "host.example.com-", "a_b.example.com", "x" * 64 + ".example.com", "a." * 127 + "com",
        )),
        *(("SMTP_URL", value) for value in (
            "smtp://u%0D%0AQUIT:p@h", "smtp://u%00v:p@h", "smtp://u:p%0A@h", "smtp://u:пароль@h",
            "smtp://u:%D0%BF@h", "smtp://u:p@h%0D%0A", "smtp://u:p@h\r\n",
        )),
    ],
)  # fmt: skip
def test_what_could_break_a_mail_or_a_command_is_refused(name: str, value: str) -> None:
    said = refusal({name: value})
    assert said.startswith(f"Bad settings: {name} ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgres://u:p%40ss@h.example.com:6543/d?sslmode=require&target_session_attrs=read-write"),
        ("DATABASE_URL", "postgresql:///d?host=/var/run/postgresql"),
        ("DATABASE_URL", "postgresql://u@[::1]:5432/d"),
        ("REDIS_URL", "rediss://user:p@h:6380/15?ssl_cert_reqs=none"),
        ("REDIS_URL", "redis://h"),
        ("REDIS_URL", "redis://u:p@[::1]:6379/0"),
        (
            "REDIS_URL",
            "redis+sentinel://u:p%40@h1:26379,h2,[::1]:26380/my-master/2?sentinel_username=u&sentinel_password=p",
        ),
        ("REDIS_URL", "rediss+sentinel://h1,h2,h3/m?ssl_check_hostname=false"),
        ("SMTP_URL", "smtps://u%40example.com:p@h"),
        ("SMTP_URL", "smtp://user%40mail:p%40ss%2Fw%20rd%3A%25@h"),
        ("MAIL_FROM", "Welcome+x@Академия.example"),
        ("ACADEMY_NAME", "Академия\u00a0№\u202f1 👩\u200d🎓"),
        ("MAIL_EHLO_NAME", "mail-1.example.com"),
        ("MAIL_EHLO_NAME", "[192.0.2.1]"),
        ("MAIL_EHLO_NAME", "[IPv6:2001:db8::1]"),
        ("PUBLIC_URL", "https://example.com/tripwire/"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
    ],
)
def test_what_is_right_is_taken(name: str, value: str) -> None:
    load_settings(environ={name: value}, dotenv=None)


def test_supabase_needs_its_address_and_key() -> None:
    assert refusal({"IDENTITY_PROVIDER": "supabase"}) == (
        "Bad settings: SUPABASE_URL is missing (IDENTITY_PROVIDER is supabase);"
        " SUPABASE_SERVICE_ROLE_KEY is missing (IDENTITY_PROVIDER is supabase)"
    )


def test_empty_counts_as_not_given(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("LOG_LEVEL=\nAPI_PORT=9000\n", encoding="utf-8")
    settings = load_settings(environ={"API_PORT": "", "WEB_THREADS": "", "SECRET_KEY_FILE": ""}, dotenv=dotenv)
    assert (settings.log_level, settings.api_port, settings.web_threads) == ("info", 9000, 8)
    assert refusal({"SECRET_KEY": ""}, required=("SECRET_KEY",)) == "Bad settings: SECRET_KEY is missing"


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    key, dotenv = tmp_path / "key", tmp_path / ".env"
    key.write_text("of a file", encoding="utf-8")
    dotenv.write_text(
        f"API_PORT=9000\nLOG_LEVEL=debug\nSECRET_KEY_FILE={key}\nADMIN_PASSWORD=a\nREDIS_URL=redis://old\n",
        encoding="utf-8",
    )
    environ = {"API_PORT": "9001", "SECRET_KEY": KEY, "ADMIN_PASSWORD_FILE": str(key), "REDIS_HOST": "new"}
    settings = load_settings(environ=environ, dotenv=dotenv)
    assert (settings.api_port, settings.log_level) == (9001, "debug")
    # Also where the two places name one thing by two names.
    assert (settings.secret_key, settings.admin_password) == (KEY, "of a file")
    assert settings.queue_url == "redis://new:6379/0"


def test_a_dollar_in_the_env_file_is_a_dollar(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ADMIN_PASSWORD=pa${HOME}ss\n", encoding="utf-8")
    assert load_settings(environ={}, dotenv=tmp_path / ".env").admin_password == "pa${HOME}ss"


def test_an_env_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"LOG_LEVEL=\xff\n")
    assert "cannot be read (UnicodeDecodeError)" in refusal({}, tmp_path / ".env")


def test_addresses_made_from_other_settings() -> None:
    def made(**environ: str) -> Settings:
        return load_settings(environ=environ, dotenv=None)

    assert made(REDIS_HOST="h", REDIS_PORT="1").queue_url == "redis://h:1/0"
    assert made(REDIS_HOST="::1").queue_url == "redis://[::1]:6379/0"
    assert made().link_prefix == "http://127.0.0.1:8000"
    assert made(API_HOST="0.0.0.0", API_PORT="1").link_prefix == "http://127.0.0.1:1"
    assert made(PUBLIC_URL="https://example.com/").link_prefix == "https://example.com"
    assert made(DATABASE_URL="postgresql://h/d").listen_url == "postgresql://h/d"


def test_a_key_that_was_too_short_can_be_left_but_not_kept() -> None:
    assert refusal({"SECRET_KEY": "x" * 31}) == "Bad settings: SECRET_KEY must have at least 32 characters"
    changed = load_settings(environ={"SECRET_KEY": "x" * 32, "SECRET_KEY_PREVIOUS": "old"}, dotenv=None)
    assert changed.secret_keys == ("x" * 32, "old")


@pytest.mark.parametrize("name", ["api", "worker", "admin-ui"])
def test_each_service_ends_with_that_one_line(name: str, tmp_path: Path) -> None:
    command = service(name, {}, tmp_path, print).command
    environ = {"PATH": os.environ["PATH"], "LOG_LEVEL": "loud", "API_URL": "h"}
    ended = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode != 0
    [line] = (ended.stdout + ended.stderr).splitlines()
    assert line.startswith("Bad settings: ")
    for bad in ("SECRET_KEY is missing", "API_URL must begin with", "LOG_LEVEL must be one of"):
        assert bad in line
