"""The whole local system, from an empty folder to ready and to its end."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.request import getproxies

from deploy.local.child import Child, WriteLine
from deploy.local.data_folder import DataFolder, loopback
from deploy.local.errors import CannotStart, StopRequested
from deploy.local.first_lines import Admin, Web, first_lines
from deploy.local.guard import Guard
from deploy.local.output import Output
from deploy.local.postgres import PostgresServer
from deploy.local.preflight import check_database, check_ports, complaint_about_redis
from deploy.local.services import MIGRATE, PYTHON, ROOT, service
from deploy.local.supervisor import Supervisor
from deploy.local.valkey import ValkeyServer
from tripwire_shared import timings
from tripwire_shared.settings import Settings, address, given_variables, load_settings


def own_postgres(data: DataFolder, port: int, write_line: WriteLine) -> PostgresServer:
    """The PostgreSQL of a run, not yet started."""
    return PostgresServer(
        data.path / "postgres",
        port,
        superuser_password=data.secret("postgres_superuser_password"),
        password=data.secret("postgres_password"),
        write_line=write_line,
    )


class LocalSystem:
    """Runs everything with `folder` as working directory (`.env`, `.data/`) until a stop is requested."""

    def __init__(
        self, folder: Path, environ: Mapping[str, str], output: Output, stop_requested: Callable[[], bool]
    ) -> None:
        self._folder = folder
        self._environ = dict(environ)
        self._output = output
        self._stop_requested = stop_requested

    def run(self) -> None:
        """Starts, prints the first lines, keeps everything running, and ends it all in order.

        Raises CannotStart or SettingsError, with nothing left running, where it does not come that far.
        """
        self._add_hosts()
        settings = load_settings(environ=self._environ, dotenv=self._folder / ".env")
        data = DataFolder(self._folder / ".data")
        data.take()
        check_ports(settings)
        check_database(settings)
        guard = Guard(ROOT, hold=data.lock)
        supervisor = Supervisor(guard, self._output.say, self._stop_requested, collects=True)
        try:
            self._start(settings, data, supervisor)
            supervisor.run()
        except StopRequested:
            self._output.say("Stopping.")
        finally:
            supervisor.stop()
            guard.close()

    def _start(self, settings: Settings, data: DataFolder, supervisor: Supervisor) -> None:
        self._add_variables(settings, data)
        self._start_servers(settings, data, supervisor)
        self._migrate(supervisor)
        names = ["api", "admin-ui", *(["worker"] if settings.start_worker else [])]
        for name in names:
            supervisor.watch(service(name, self._environ, self._folder, self._output.of(name))).start()
        web = Web()
        api_url = address(settings.api_host, settings.api_port)
        admin_ui_url = address(settings.admin_ui_host, settings.admin_ui_port)
        supervisor.wait_until(lambda: web.answers(f"{api_url}/readyz"), "The API")
        supervisor.wait_until(lambda: web.answers(f"{admin_ui_url}/login"), "The admin UI")
        for line in first_lines(web, api_url, admin_ui_url, self._admin(settings), proxied=bool(getproxies())):
            self._output.say(line)

    def _admin(self, settings: Settings) -> Admin:
        if not settings.admin_password:
            return Admin(settings.admin_email, self._environ["ADMIN_PASSWORD"], password_from="")
        given = given_variables(self._environ, self._folder / ".env")
        name = "ADMIN_PASSWORD" if given.get("ADMIN_PASSWORD") else "ADMIN_PASSWORD_FILE"
        return Admin(settings.admin_email, settings.admin_password, name)

    def _add_hosts(self) -> None:
        """On a host without IPv4 what would listen on 127.0.0.1 listens on ::1."""
        if loopback() == "::1":
            given = given_variables(self._environ, self._folder / ".env")
            for name in ("API_HOST", "ADMIN_UI_HOST"):
                if not given.get(name):
                    self._environ[name] = "::1"

    def _add_variables(self, settings: Settings, data: DataFolder) -> None:
        """Adds what the user has not given; a secret given as NAME_FILE counts as given."""
        if not settings.secret_key:
            self._environ["SECRET_KEY"] = data.secret("secret_key", size=48)
        if not settings.admin_password:
            self._environ["ADMIN_PASSWORD"] = data.secret("admin_password", size=12)
        given = given_variables(self._environ, self._folder / ".env")
        if not given.get("API_URL"):
            self._environ["API_URL"] = address(settings.api_host, settings.api_port)
        if not given.get("TRUSTED_PROXIES"):
            self._environ["TRUSTED_PROXIES"] = "127.0.0.1/32,::1/128"  # the admin UI, whichever of them it comes from
        if not given.get("LOG_FORMAT"):
            self._environ["LOG_FORMAT"] = "console"

    def _start_servers(self, settings: Settings, data: DataFolder, supervisor: Supervisor) -> None:
        if not settings.database_url:
            postgres = own_postgres(data, data.port("postgres"), self._output.of("postgres"))
            supervisor.watch(postgres.child)
            postgres.start()
            postgres.make_database()
            self._environ["DATABASE_URL"] = postgres.url
        if not settings.queue_url:
            valkey = ValkeyServer(
                data.path / "valkey",
                data.port("valkey"),
                password=data.secret("valkey_password"),
                write_line=self._output.of("valkey"),
            )
            supervisor.watch(valkey.child)
            valkey.start()
            self._environ["REDIS_URL"] = valkey.url
        elif complaint := complaint_about_redis(settings.queue_url):
            self._output.say(f"{complaint}. Everything runs on without it.")

    def _migrate(self, supervisor: Supervisor) -> None:
        lines: list[str] = []
        migrate = Child(
            "migrate",
            [str(part) for part in MIGRATE],
            environ={**self._environ, **PYTHON},
            folder=self._folder,
            write_line=lines.append,
            stop_limit=timings.LOCAL_STOP_API,
        )
        status = supervisor.run_once(migrate)
        last = lines[-1] if lines else f"status {status}"
        if status != 0:
            raise CannotStart(last if "migration" in last else f"The migrations could not be applied: {last}")
        self._output.of("migrate")(last)
