"""Whose address X-Forwarded-For names, however proxies write it, and what a throttle counts as one client."""

import ipaddress
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripwire_shared.network.client_address import HOPS_AT_MOST, address_behind, one_client

TRUSTED = (ipaddress.ip_network("127.0.0.1/32"), ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
PEER = "127.0.0.1"
ADDRESSES = st.one_of(
    st.ip_addresses(v=4).filter(lambda one: not any(one in network for network in TRUSTED)),
    st.ip_addresses(v=6).filter(lambda one: one.ipv4_mapped is None and not any(one in net for net in TRUSTED)),
)


def spellings(address: str) -> list[str]:
    """All ways in which proxies write it."""
    if ":" not in address:
        return [address, f"{address}:1", f"{address}:65535", f"::ffff:{address}", f"[::ffff:{address}]:443"]
    long = ipaddress.ip_address(address).exploded.upper()
    return [address, f"[{address}]", f"[{address}]:443", long, f"{address}%eth0", f"[{address}%25eth0]:9"]


@given(ADDRESSES, st.data())
def test_however_it_is_written_it_is_the_same_address(found: object, data: st.DataObject) -> None:
    address = str(found)
    entry = data.draw(st.sampled_from(spellings(address)))
    entry = data.draw(st.sampled_from([entry, f'"{entry}"', f"  {entry}\t"]))
    behind = data.draw(st.sampled_from(["", ", 10.1.2.3", ",10.1.2.3:80, [fd00::1]:443", ", , 10.0.0.1,", ","]))
    assert address_behind(PEER, f"203.0.113.250, unknown, {entry}{behind}", TRUSTED) == address


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("", PEER), (",", PEER), (", ,,", PEER), ("unknown", PEER), ("_hidden, 10.0.0.7", "10.0.0.7"),
        ("192.0.2.9, unknown", PEER), ("192.0.2.9:port", PEER), ("192.0.2.9:", PEER), ("[192.0.2.9", PEER),
        ("[2001:db8::1]443", PEER), ("[]:443", PEER), ("[]", PEER), ('"', PEER), ('""', PEER),
        ("192.0.2.9:123456", PEER), ("192.0.2.999", PEER), ("2001:db8::1:443", "2001:db8::1:443"),
        ("10.0.0.1, 10.0.0.2", "10.0.0.1"),
    ],
)  # fmt: skip
def test_what_is_no_address_names_nobody(said: str, address: str) -> None:
    assert address_behind(PEER, said, TRUSTED) == address


def test_nobody_believes_whoever_is_not_trusted() -> None:
    assert address_behind("192.0.2.1", "203.0.113.9", TRUSTED) == "192.0.2.1"
    assert address_behind("", "203.0.113.9", TRUSTED) == "unknown"


@given(st.text(max_size=300))
def test_any_text_gives_an_address(said: str) -> None:
    ipaddress.ip_address(address_behind(PEER, said, TRUSTED))


def test_of_hundreds_of_entries_the_last_few_are_read() -> None:
    began = time.monotonic()
    for _ in range(100):
        assert address_behind(PEER, ",".join(["10.0.0.1"] * 5_000), TRUSTED) == "10.0.0.1"
    assert time.monotonic() - began < 2
    hidden = ",".join(["192.0.2.1", *["10.0.0.1"] * HOPS_AT_MOST])
    assert address_behind(PEER, hidden, TRUSTED) == "10.0.0.1"


@given(st.ip_addresses(v=6).filter(lambda one: one.ipv4_mapped is None), st.integers(0, 2**64 - 1))
def test_an_ipv6_client_is_its_64(address: ipaddress.IPv6Address, other: int) -> None:
    neighbour = ipaddress.IPv6Address(int(address) >> 64 << 64 | other)
    if neighbour.ipv4_mapped is None:
        assert one_client(str(address)) == one_client(str(neighbour))
    assert ipaddress.ip_network(one_client(str(address))).prefixlen == 64
    beside = ipaddress.IPv6Address((int(address) + 2**64) % 2**128)
    assert one_client(str(address)) != one_client(str(beside))


@pytest.mark.parametrize("address", ["192.0.2.7", "unknown"])
def test_others_are_whole(address: str) -> None:
    assert one_client(address) == address
    assert one_client("::ffff:192.0.2.7") == "192.0.2.7"
