"""Which address the browser has, although proxies stand between. Pure."""

import ipaddress
from collections.abc import Sequence

from tripwire_shared.setting_rules import Network


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """The last address that no trusted proxy vouches for: `peer`, or one named in X-Forwarded-For.

    Read from the right, since everything left of an untrusted address was written by whoever is there.
    """
    address = peer
    hops = [hop.strip() for line in forwarded_for for hop in line.split(",")]
    while hops and _is_trusted(address, trusted) and _is_address(hops[-1]):
        address = hops.pop()
    return address


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    return _is_address(text) and any(ipaddress.ip_address(text) in network for network in trusted)
