"""The record of deploys, for deploy/deploy.sh:

python -m tripwire_api.deploy.record begin VERSION PREVIOUS WHO    prints the deploy's number
python -m tripwire_api.deploy.record finish NUMBER OUTCOME [REASON]
python -m tripwire_api.deploy.record before VERSION                prints the version that a rollback leads to
"""

import sys

from tripwire_api.deploy.parts import deploy_parts
from tripwire_shared.answers.vocabulary import DeployOutcome
from tripwire_shared.deploys.deploys import Deploys
from tripwire_shared.errors import TripwireError


def main(arguments: list[str]) -> int:
    try:
        with deploy_parts() as parts:
            print(answer(parts.deploys, arguments))
    except TripwireError as error:
        print(f"The record of deploys: {error}", file=sys.stderr)
        return 1
    return 0


def answer(deploys: Deploys, arguments: list[str]) -> str:
    """What one command prints. Ends the process where it is none."""
    match arguments:
        case ["begin", version, previous, who]:
            return str(deploys.begin(version, previous or None, who))
        case ["finish", number, outcome, *reason] if number.isdecimal() and outcome in tuple(DeployOutcome):
            return deploys.finish(int(number), DeployOutcome(outcome), " ".join(reason)[:500] or None).version
        case ["before", version]:
            return deploys.version_before(version) or ""
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
