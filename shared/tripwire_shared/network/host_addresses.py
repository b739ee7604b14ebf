"""libpq looks names up by a call that nothing can interrupt; so it gets the addresses. Pure."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address


def with_addresses(given: Mapping[str, str], look_up: Callable[[str], tuple[str, ...]]) -> dict[str, str]:
    """The parameters of a connection (of `given`, as libpq names them) that name hosts with their addresses.

    A host with several addresses becomes as many entries, which libpq tries in order, as it would itself. The name
    stays beside each: certificates are checked against it. One that is not found is left out, unless none is: raises
    OSError. Empty where nothing has to be looked up.
    """
    names = given.get("host", "").split(",")
    if given.get("hostaddr") or not any(is_name(name) for name in names):
        return {}
    ports = given.get("port", "").split(",")
    if len(ports) == 1:
        ports *= len(names)
    entries, missing = [], OSError("There is no host.")
    for name, port in zip(names, ports, strict=False):  # libpq itself says what is wrong with unequal lists
        try:
            entries += [(name, address, port) for address in (look_up(name) if is_name(name) else (_address(name),))]
        except OSError as error:
            missing = error
    if not entries:
        raise missing
    hosts, addresses, their_ports = (",".join(column) for column in zip(*entries, strict=True))
    return {"host": hosts, "hostaddr": addresses, "port": their_ports} if addresses.strip(",") else {}


def is_name(host: str) -> bool:
    """Whether it has to be looked up."""
    return bool(host) and not _is_socket(host) and not _address(host)


def _is_socket(host: str) -> bool:
    return host.startswith(("/", "@"))


def _address(host: str) -> str:
    """`host` where it is an address already, else empty: libpq then takes the host itself, such as a socket's path."""
    try:
        return str(ip_address(host))
    except ValueError:
        return ""
