"""The edge as in the compose stack, on free ports of this machine: the product's own Caddyfile, run by a real Caddy."""

import os
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3

from deploy.local.child import Child
from deploy.local.data_folder import free_port
from deploy.local.services import ROOT
from tests.waiting import wait_until

CADDY = Path(sys.executable).parent / "caddy"
FOLDER = ROOT / "deploy/compose/edge"
HOST = "localhost"


class EdgeServer:
    """`api_url` and `admin_ui_url`: what it stands before. `lines`: its log so far."""

    def __init__(self, folder: Path, api_url: str, admin_ui_url: str) -> None:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self.port, self.http_port, self.console_port = free_port(), free_port(), free_port()
        self.lines: list[str] = []
        api, admin_ui = urlsplit(api_url), urlsplit(admin_ui_url)
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder / "caddy"),
            "XDG_CONFIG_HOME": str(folder / "caddy"),
            "EDGE_HOST": HOST,
            "PUBLIC_URL": self.url,
            "CONSOLE_SUBNET": "127.0.0.1/32",
            "EDGE_HTTPS_PORT": str(self.port),
            "EDGE_HTTP_PORT": str(self.http_port),
            "EDGE_CONSOLE_PORT": str(self.console_port),
            "EDGE_API": api.hostname or "",
            "EDGE_API_PORT": str(api.port),
            "EDGE_ADMIN_UI": admin_ui.hostname or "",
            "EDGE_ADMIN_UI_PORT": str(admin_ui.port),
            "EDGE_PAGES": str(FOLDER),
        }
        command = [str(CADDY), "run", "--config", str(FOLDER / "Caddyfile"), "--adapter", "caddyfile"]
        self._child = Child("edge", command, environ=environ, folder=folder, write_line=self.lines.append, stop_limit=5)

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def console_url(self) -> str:
        """Where the admin UI finds the API."""
        return f"http://127.0.0.1:{self.console_port}"

    def start(self) -> None:
        self._child.start()
        wait_until(self._answers, 20, step=0.05, what="the edge")

    def _answers(self) -> bool:
        assert self._child.alive, self.lines[-5:]
        try:
            return requests.get(f"{self.url}/metrics", timeout=2, verify=False).status_code == 404
        except requests.RequestException:
            return False

    def stop(self) -> None:
        self._child.stop()


def unverified(*protocols: str) -> ssl.SSLContext:
    """A client's context that takes any certificate, and offers these protocols."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context
