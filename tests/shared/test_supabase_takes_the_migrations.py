"""A database that already has Supabase's auth.users under another owner: migrated by a plain role, never altered."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest
from psycopg2 import sql

from deploy.local.postgres import PostgresServer
from tests.attempts import attempt
from tests.backups import back_up, restore
from tests.catalog import catalog
from tests.conftest import migrate
from tests.invariants import assert_nothing_broken, count
from tests.resources import Resources, build_resources
from tests.shared.rows import rows
from tests.worker.conftest import a_manager
from tripwire_shared.answers.vocabulary import RequestMode
from tripwire_shared.provisioning.provision import Outcome
from tripwire_shared.requests.request import NewCustomer
from tripwire_shared.requests.request_store import NewRequest
from tripwire_shared.settings import Settings

STAND_IN = Path(__file__).with_name("supabase_auth.sql")
AUTH_ADMIN = "supabase_auth_admin"
# Supabase's own `postgres` role is the same: no superuser, but row level security does not bind it.
OWNER = "supabase_postgres"
PASSWORD = "owner/of:tests"


def _as_superuser(url: str, *statements: sql.Composable) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@pytest.fixture
def supabase_url(postgres: PostgresServer) -> Iterator[str]:
    name = f"supabase_{uuid4().hex[:8]}"
    database, owner, auth_admin = map(sql.Identifier, (name, OWNER, AUTH_ADMIN))
    _as_superuser(
        postgres.superuser_url(),
        sql.SQL("CREATE ROLE {}").format(auth_admin),
        sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER BYPASSRLS PASSWORD {}").format(owner, sql.Literal(PASSWORD)),
        sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner),
    )
    stand_in = sql.SQL(STAND_IN.read_text(encoding="utf-8")).format(auth_admin=auth_admin, role=owner)
    _as_superuser(postgres.superuser_url(name), stand_in)
    # An address as Supabase gives it: what is special in a password stands in it escaped.
    yield f"postgresql://{OWNER}:owner%2Fof%3Atests@127.0.0.1:{postgres.port}/{name}?sslmode=prefer"
    _as_superuser(
        postgres.superuser_url(),
        sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database),
        sql.SQL("DROP ROLE {}").format(owner),
        sql.SQL("DROP ROLE {}").format(auth_admin),
    )


@pytest.fixture
def resources(supabase_url: str, settings_for: Callable[..., Settings]) -> Iterator[Resources]:
    migrate(supabase_url)
    built = build_resources(settings_for(database_url=supabase_url, worker_rate_limit=0), service="sweep")
    yield built
    built.stop()


@pytest.fixture
def superuser_url(postgres: PostgresServer, supabase_url: str) -> str:
    return postgres.superuser_url(supabase_url.rpartition("/")[2].partition("?")[0])


def new_request(resources: Resources, email: str) -> NewRequest:
    staff_id = a_manager(resources.database)
    customer = NewCustomer(email, "Anna K.", None, 5000, "KZT")
    return NewRequest(uuid4(), customer, None, staff_id, RequestMode.ASYNC, 202, None, None)


def test_the_migrations_neither_alter_nor_refer_to_auth_users(superuser_url: str, supabase_url: str):
    before = catalog(superuser_url, ("auth",), access=True)
    assert "row security auth.users" in before

    migrate(supabase_url)

    assert catalog(superuser_url, ("auth",), access=True) - {"extension pg_trgm"} == before


def test_a_customer_is_provisioned_there(superuser_url: str, resources: Resources):
    database, new = resources.database, new_request(resources, "anna@example.com")
    assert resources.requests.accept([new])
    assert attempt(resources, new.id) is Outcome.PROVISIONED

    [user] = rows(database, "SELECT * FROM auth.users WHERE email = 'anna@example.com'")
    assert (user.aud, user.role, user.confirmed_at) == ("authenticated", "authenticated", user.email_confirmed_at)
    assert count(superuser_url, "SELECT count(*) FROM profiles WHERE full_name = 'Anna K.'") == 1
    assert rows(database, "SELECT user_id FROM tripwire_users") == [(user.id,)]
    [invitation] = rows(database, "SELECT id FROM invitations")
    resources.invitations.consume(resources.invitations.link(invitation.id).rpartition("/")[2], "a good password")
    [user] = rows(database, "SELECT * FROM auth.users WHERE email = 'anna@example.com'")
    assert resources.hasher.verify(user.encrypted_password, "a good password")
    assert_nothing_broken(resources.settings.database_url)


def test_an_auth_user_whom_we_did_not_make_is_left_alone(resources: Resources):
    before = rows(resources.database, "SELECT * FROM auth.users")
    assert not resources.requests.accept([new_request(resources, "student@example.com")])
    assert rows(resources.database, "SELECT * FROM auth.users") == before


def test_a_copy_leaves_auth_users_to_those_whose_it_is(supabase_url: str, resources: Resources, tmp_path: Path):
    new = new_request(resources, "anna@example.com")
    assert resources.requests.accept([new])
    assert attempt(resources, new.id) is Outcome.PROVISIONED
    resources.stop()
    before = catalog(supabase_url)
    file = back_up(supabase_url, tmp_path)

    with closing(psycopg2.connect(supabase_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
            " WHERE schemaname = 'public' AND tableowner = %s",
            (OWNER,),
        )
        [(ours,)] = cursor.fetchall()
        cursor.execute(f"DROP TABLE {ours}; DROP FUNCTION welcome_email_of, cleanup_old_health_logs")
    restore(file, supabase_url)

    assert catalog(supabase_url) == before
    assert count(supabase_url, "SELECT count(*) FROM sales JOIN auth.users u ON u.id = user_id") == 1
    assert_nothing_broken(supabase_url)
