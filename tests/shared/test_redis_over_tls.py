"""`rediss://`: the server has to show a certificate of an authority that is trusted, for its name. One that does not is
a Redis that is away, at once and with its reason."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest

from deploy.local.preflight import complaint_about_redis
from deploy.local.valkey import ValkeyServer
from tests.resources import Resources
from tests.sentinel_stand_in import SentinelStandIn, url_of
from tests.tls_proxy import Authority, TlsProxy
from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.timings import REDIS_TIMEOUT

PASSWORD = "valkey-of-tests"
SLACK = 0.5

Proxy = Callable[..., TlsProxy]


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "theirs")


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with ExitStack() as stack:

        def make(to: int, certificate: Path, clients_of: Path | None = None) -> TlsProxy:
            made = TlsProxy(to, certificate, clients_of)
            stack.callback(made.stop)
            return made

        yield make


def rediss(proxy: TlsProxy, host: str = "localhost", **query: object) -> str:
    words = "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
    return f"rediss://:{PASSWORD}@{host}:{proxy.port}/0?{words}"


def test_a_server_of_our_own_authority(
    resources_for: Callable[..., Resources], valkey: ValkeyServer, ours: Authority, proxy: Proxy
) -> None:
    url = rediss(proxy(valkey.port, ours.certificate("localhost")), ssl_ca_certs=ours.file)
    resources_for("api", redis_url=url).request_queue.push([uuid4()])
    assert complaint_about_redis(url) is None


def test_a_server_that_asks_for_a_certificate_of_ours(
    resources_for: Callable[..., Resources], valkey: ValkeyServer, ours: Authority, proxy: Proxy
) -> None:
    asks = proxy(valkey.port, ours.certificate("localhost"), clients_of=ours.file)
    own = ours.certificate("client")
    url = rediss(asks, ssl_ca_certs=ours.file, ssl_certfile=own, ssl_keyfile=own)
    resources_for("api", redis_url=url).request_queue.push([uuid4()])
    with pytest.raises(QueueUnavailable):
        resources_for("api", redis_url=rediss(asks, ssl_ca_certs=ours.file)).request_queue.push([uuid4()])


@pytest.mark.parametrize("wrong", ["authority", "unknown here", "name"])
def test_a_certificate_that_is_not_trusted(
    resources_for: Callable[..., Resources], valkey: ValkeyServer, ours: Authority, theirs: Authority, proxy: Proxy,
    wrong: str,
) -> None:  # fmt: skip
    server = proxy(valkey.port, ours.certificate("localhost"))
    url = {
        "authority": rediss(server, ssl_ca_certs=theirs.file),
        "unknown here": rediss(server),
        "name": rediss(server, "127.0.0.1", ssl_ca_certs=ours.file),
    }[wrong]
    queue = resources_for("api", redis_url=url).request_queue
    began = time.monotonic()
    with pytest.raises(QueueUnavailable, match="CertificateRefused"):
        queue.push([uuid4()])
    assert time.monotonic() - began < REDIS_TIMEOUT + SLACK
    said = complaint_about_redis(url) or ""
    assert len(said.splitlines()) == 1
    assert "cannot be used: The server's certificate is refused: " in said
    assert PASSWORD not in said


def test_what_may_be_left_unchecked(
    resources_for: Callable[..., Resources], valkey: ValkeyServer, ours: Authority, proxy: Proxy
) -> None:
    server = proxy(valkey.port, ours.certificate("localhost"))
    for url in (
        rediss(server, "127.0.0.1", ssl_ca_certs=ours.file, ssl_check_hostname="false"),
        rediss(server, "127.0.0.1", ssl_cert_reqs="none"),
    ):
        resources_for("api", redis_url=url).request_queue.push([uuid4()])


def test_a_server_without_tls_is_away_and_no_hang(
    resources_for: Callable[..., Resources], valkey: ValkeyServer, own_valkey: ValkeyServer
) -> None:
    for port in (valkey.port, own_valkey.port):
        own_valkey.freeze()  # this one does not even answer
        queue = resources_for("api", redis_url=f"rediss://:{PASSWORD}@127.0.0.1:{port}/0").request_queue
        began = time.monotonic()
        with pytest.raises(QueueUnavailable):
            queue.push([uuid4()])
        assert time.monotonic() - began < REDIS_TIMEOUT + SLACK


def test_the_sentinels_are_asked_over_tls_too(
    resources_for: Callable[..., Resources], valkey: ValkeyServer, ours: Authority, theirs: Authority, proxy: Proxy
) -> None:
    certificate = ours.certificate("127.0.0.1")
    knows = SentinelStandIn(proxy(valkey.port, certificate).port)
    try:
        front = proxy(knows.own_port, certificate)
        plain = url_of(knows, password=PASSWORD, scheme="rediss", query="?ssl_ca_certs=")
        url = plain.replace(f":{knows.own_port}/", f":{front.port}/")
        resources_for("api", redis_url=url + str(ours.file)).request_queue.push([uuid4()])
        assert knows.asked == 1
        for refused in (url + str(theirs.file), plain + str(ours.file)):  # no trust; no TLS
            with pytest.raises(QueueUnavailable, match="NoMaster"):
                resources_for("api", redis_url=refused).request_queue.push([uuid4()])
    finally:
        knows.stop()
