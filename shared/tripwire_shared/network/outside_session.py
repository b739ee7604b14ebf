"""HTTP with servers of others (Telegram, the identity provider).

In some networks they are reached by a proxy only: the one that the environment names (HTTPS_PROXY, NO_PROXY) is asked,
but never for this machine's own addresses. A ~/.netrc is never read: what it says would replace our Authorization.
"""

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests
from requests.exceptions import InvalidProxyURL
from requests.utils import get_environ_proxies, select_proxy


class SocksProxyUnusable(InvalidProxyURL):
    """The environment names a SOCKS proxy only; an HTTP proxy is needed, or none (NO_PROXY)."""


def outside_session(url: str) -> requests.Session:
    """A session for calls of `url`. Raises SocksProxyUnusable."""
    session = requests.Session()
    session.trust_env = False
    # Where a proxy looks into TLS, its authority is named so.
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    if not _on_this_machine(urlsplit(url).hostname or ""):
        session.proxies.update(get_environ_proxies(url))
        if (select_proxy(url, session.proxies) or "").startswith("socks"):
            raise SocksProxyUnusable
    return session


def _on_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
