"""What the user sees first when everything is ready: addresses, the first admin, a line to try."""

from collections.abc import Iterator
from dataclasses import dataclass

import requests

from tripwire_shared import timings


class Web:
    """Plain HTTP to this machine: a proxy in the environment is not asked."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Connection"] = "close"  # a connection kept alive would hold up a server's stop

    def answers(self, url: str) -> bool:
        """Whether `url` answers 200 now."""
        try:
            return self._session.get(url, timeout=timings.LOCAL_HTTP_TIMEOUT).status_code == 200
        except requests.RequestException:
            return False

    def log_in(self, api_url: str, email: str, password: str) -> tuple[int, str]:
        """The status of a login (0: no answer) and the token, empty where there is none."""
        try:
            answer = self._session.post(
                f"{api_url}/api/auth/login",
                json={"email": email, "password": password},
                timeout=timings.LOCAL_HTTP_TIMEOUT * 5,  # argon2 on a busy machine
            )
            return answer.status_code, str(answer.json()["token"]) if answer.ok else ""
        except (requests.RequestException, KeyError, ValueError):
            return 0, ""


@dataclass(frozen=True)
class Admin:
    """The first admin. `password_from`: the variable that the user gave the password in; empty: it was made here."""

    email: str
    password: str
    password_from: str


def first_lines(web: Web, api_url: str, admin_ui_url: str, admin: Admin, *, proxied: bool) -> Iterator[str]:
    """The lines `API`, `Admin UI`, `Admin`, `Password`, each word followed by its value, and a curl line.

    A password that was given is named, not printed: its owner knows it, and terminals are kept. `proxied`: the
    environment names a proxy, which curl would ask for this machine's own addresses too.
    """
    email = admin.email
    status, token = web.log_in(api_url, email, admin.password)
    yield f"API       {api_url}"
    yield f"Admin UI  {admin_ui_url}"
    yield f"Admin     {email}"
    if status == 401:
        yield "Password  (unknown: this database had its admins already, and the password here is not theirs)"
    else:
        yield "Password  " + (f"the one in {admin.password_from}" if admin.password_from else admin.password)
    if status not in (200, 401):
        yield f"The login did not work just now ({status or 'no answer'}): the line below lacks its token."
    past_proxy = "--noproxy '*' " if proxied else ""
    yield "Create a customer:"
    yield (
        f"curl {past_proxy}-X POST {api_url}/api/admin/tripwire/users -H 'Authorization: Bearer {token or 'TOKEN'}' "
        """-H 'Content-Type: application/json' -d '{"email": "anna@example.com", "full_name": "Anna K."}'"""
    )
    yield "Stop with Ctrl-C."
