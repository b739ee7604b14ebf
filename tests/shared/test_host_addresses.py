"""The parameters of a connection with the addresses of its hosts, as libpq takes them."""

import pytest

from tripwire_shared.network.host_addresses import with_addresses

KNOWN = {"a.example": ("192.0.2.1", "192.0.2.2"), "b.example": ("2001:db8::1",)}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"host": "192.0.2.9", "port": "5432"}, {}),
        ({"host": "/run/postgresql"}, {}),
        ({}, {}),
        ({"host": "a.example", "hostaddr": "192.0.2.9"}, {}),
        ({"host": "b.example"}, {"host": "b.example", "hostaddr": "2001:db8::1", "port": ""}),
        (
            {"host": "a.example", "port": "6432"},
            {"host": "a.example,a.example", "hostaddr": "192.0.2.1,192.0.2.2", "port": "6432,6432"},
        ),
        (
            {"host": "/run/postgresql,b.example,192.0.2.9", "port": "1,2,3"},
            {
                "host": "/run/postgresql,b.example,192.0.2.9",
                "hostaddr": ",2001:db8::1,192.0.2.9",
                "port": "1,2,3",
            },
        ),
    ],
)
def test_names_get_their_addresses(given: dict[str, str], expected: dict[str, str]) -> None:
    assert with_addresses(given, KNOWN.__getitem__) == expected


def not_found(_: str) -> tuple[str, ...]:
    raise OSError("not known")


def test_a_name_that_is_not_found_is_left_out() -> None:
    found = with_addresses({"host": "a.example,192.0.2.9", "port": "1,2"}, not_found)
    assert found == {"host": "192.0.2.9", "hostaddr": "192.0.2.9", "port": "2"}


def test_where_none_is_found_it_is_said() -> None:
    with pytest.raises(OSError, match="not known"):
        with_addresses({"host": "a.example"}, not_found)
