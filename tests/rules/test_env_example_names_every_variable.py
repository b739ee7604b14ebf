import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tripwire_shared.settings import load_settings, variable_defaults

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_env_example_holds_every_variable_with_its_default():
    assert dotenv_values(EXAMPLE) == variable_defaults()


def test_a_copied_env_example_changes_nothing():
    assert load_settings(environ={}, dotenv=EXAMPLE) == load_settings(environ={}, dotenv=None)


def test_every_variable_of_env_example_stands_under_a_line_of_comment():
    commented = False
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        commented = line.startswith("#") or (commented and line != "")
        assert commented or line == "", f"no comment over {line}"


@pytest.mark.parametrize("file", ["deploy/backup/steps.sh", "deploy/backup/timer.sh", "docker-compose.yml"])
def test_what_shell_scripts_and_compose_take_for_default_is_the_same(file: str):
    text = (EXAMPLE.parent / file).read_text(encoding="utf-8")
    found = set(re.findall(r"\$\{(BACKUP_\w+):[=-](?:\./)?([^}]+)\}", text))
    assert found
    assert found <= set(variable_defaults().items())
