"""What the tests of faults share: the services, hooks in the test's database that hold an attempt where the fault is
to hit it, and the figures that are measured, told at the end of the run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from tests.stack import Stack

FIGURES = pytest.StashKey[dict[str, float]]()


@pytest.fixture
def stack(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Stack]:
    """The services of this test. Killed at its end: how they stop in order is a test of its own."""
    services = Stack(tmp_path, database_url, redis_url)
    yield services
    for child in services.children:
        child.kill()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str, float], None]:
    """`measured("what took how long, in seconds", 1.23)`: keeps the worst of this run, for docs/promises.md."""

    def note(what: str, figure: float) -> None:
        figures = request.config.stash.setdefault(FIGURES, {})
        figures[what] = max(figure, figures.get(what, figure))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for what, figure in sorted(config.stash.get(FIGURES, {}).items()):
        terminalreporter.write_line(f"measured: {what}: {figure:.3f}")


@pytest.fixture
def slow_down(database_url: str) -> Callable[[str, float, str], None]:
    """`slow_down("sales", 2.0, "held%")`: inserting into `sales` takes 2 s in the transaction of requests whose e-mail
    is like that. The table must name its request."""

    def install(table: str, seconds: float, emails: str) -> None:
        connection = psycopg2.connect(database_url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                CREATE FUNCTION slow_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF EXISTS (SELECT 1 FROM provisioning_requests WHERE id = NEW.request_id AND email LIKE '{emails}')
                    THEN PERFORM pg_sleep({seconds}); END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER slow BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION slow_{table}();
                """
            )
        connection.close()

    return install
