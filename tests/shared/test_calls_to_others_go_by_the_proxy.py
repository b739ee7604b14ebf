"""Telegram and the identity provider are reached by the proxy of the environment, and never with a ~/.netrc."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tripwire_shared.alerts.telegram import Telegram
from tripwire_shared.network.outside_session import SocksProxyUnusable, outside_session
from tripwire_shared.settings import load_settings

OTHERS = "http://telegram.example.com"


class Proxy:
    """Answers for everybody, and keeps whom it was asked for and with what headers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                proxy.asked.append((self.path, dict(self.headers)))
                body = json.dumps({"ok": True, "result": {"message_id": 1}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Proxy]:
    """The only way out, as the environment says; and a netrc that knows every host."""
    (tmp_path / "netrc").write_text("default login somebody password else\n", encoding="utf-8")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Proxy()
    monkeypatch.setenv("http_proxy", server.url)
    yield server
    server.stop()


def telegram_at(url: str) -> Telegram:
    environ = {"TELEGRAM_API_URL": url, "TELEGRAM_BOT_TOKEN": "1:a", "TELEGRAM_ADMIN_CHAT_ID": "2"}
    return Telegram(load_settings(environ=environ, dotenv=None))


def test_an_alert_goes_by_the_proxy_without_a_netrc(proxy: Proxy) -> None:
    assert telegram_at(OTHERS).send("hello").ok
    [(path, headers)] = proxy.asked
    assert path == f"{OTHERS}/bot1:a/sendMessage"
    assert "Authorization" not in headers


def test_a_server_of_this_machine_is_asked_directly(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert telegram_at(proxy.url).send("hello").ok
    for url in ("http://localhost:1", "http://[::1]:1", "http://api.localhost", "http://127.9.9.9"):
        assert not outside_session(url).proxies, url


@pytest.mark.parametrize(
    ("name", "value", "usual"),
    [
        ("no_proxy", "example.com", lambda session: not session.proxies),
        ("https_proxy", "http://h:1", lambda session: session.proxies["https"] == "http://h:1"),
        ("REQUESTS_CA_BUNDLE", "/an/authority.pem", lambda session: session.verify == "/an/authority.pem"),
    ],
)
def test_what_else_the_environment_says_of_the_way_out(
    name: str, value: str, usual: Callable[[object], bool], proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert usual(outside_session(OTHERS))


def test_a_socks_proxy_alone_is_said(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("http_proxy")
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:9050")
    with pytest.raises(SocksProxyUnusable):
        outside_session(OTHERS)
    assert telegram_at(OTHERS).send("hello").description == "Telegram cannot be reached (SocksProxyUnusable)."
