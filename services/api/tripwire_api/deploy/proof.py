"""The proof of a deploy: `python -m tripwire_api.deploy.proof https://edge NAME` creates a marked test customer as
people do, through the edge, waits until the customer is there, and erases all of it again.

The customer's address ends in .invalid, which no mail is ever sent to (RFC 6761, section 6.4). The price is 0, so that
nothing is charged, and in the end no sale, no customer, no request and no account of the proof are left.
"""

import sys
import time
import warnings
from typing import Any
from uuid import UUID, uuid4

import requests

from tripwire_api.deploy.parts import DeployParts, deploy_parts
from tripwire_shared.answers.vocabulary import Role
from tripwire_shared.errors import TripwireError
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.timings import PROOF_ANSWER_LIMIT, PROOF_LIMIT

DOMAIN = "deploy-proof.invalid"
USERS = "/api/admin/tripwire/users"


class NotProved(Exception):
    """What did not happen as it should, in one line."""


class Proof:
    """`url`: the edge, reached by any name; `host`: the name under which people reach it."""

    def __init__(self, parts: DeployParts, url: str, host: str) -> None:
        self._parts, self._url = parts, url.rstrip("/")
        self._sql = load_queries(__file__)
        self._client = requests.Session()
        self._client.trust_env = False  # no proxy stands between
        self._client.verify = False  # it is our own network, and the certificate is of another name
        self._client.headers["Host"] = host

    def run(self) -> str:
        """Gives one line about what was seen. Raises NotProved, or an error of the database."""
        self.erase()
        name = uuid4().hex[:12]
        staff = self._parts.staff.create(f"{name}@{DOMAIN}", "Proof of a deploy", Role.ADMIN, None, None)
        try:
            token = self._parts.tokens.make(
                staff.id, "proof of a deploy", seconds=PROOF_LIMIT + 2 * PROOF_ANSWER_LIMIT
            ).token
            self._client.headers["Authorization"] = f"Bearer {token}"
            began = time.monotonic()
            status, user_id = self._provision(name)
            if user_id is None:
                return (
                    f"a test customer was answered {status}; the queue is long, and others of it are being provisioned"
                )
            took = time.monotonic() - began
            self._expect(self._client.delete(f"{self._url}{USERS}/{user_id}", timeout=PROOF_ANSWER_LIMIT), 204)
        finally:
            self.erase()
        return f"a test customer was answered {status}, provisioned in {took:.1f} s and erased"

    def _provision(self, name: str) -> tuple[int, str | None]:
        """Gives the status of the create and the customer's id; None where its turn did not come, but others' did."""
        body = {"email": f"customer-{name}@{DOMAIN}", "full_name": "Proof of a deploy", "price": 0}
        answer = self._client.post(
            f"{self._url}{USERS}", json=body, headers={"Idempotency-Key": name}, timeout=PROOF_ANSWER_LIMIT
        )
        self._expect(answer, 201, 202)
        address = f"{self._url}/api/admin/tripwire/requests/{answer.json()['request_id']}"
        give_up_at = time.monotonic() + PROOF_LIMIT
        found: dict[str, Any] = {}
        while found.get("status") != "provisioned":
            if found.get("status") in ("failed", "duplicate"):
                raise NotProved(f"The test customer's request is {found['status']}: {found.get('error')}")
            if time.monotonic() > give_up_at:
                if self._others_are_provisioned():
                    return answer.status_code, None
                raise NotProved(f"Nobody was provisioned in {PROOF_LIMIT:g} s, the test customer neither.")
            looked = self._client.get(address, headers={"Prefer": "wait=5"}, timeout=PROOF_ANSWER_LIMIT)
            self._expect(looked, 200)
            found = looked.json()
        return answer.status_code, str(found["user_id"])

    def _others_are_provisioned(self) -> bool:
        """Whether a request was provisioned since the proof began: by the new version."""
        lately = PROOF_LIMIT
        return bool(
            self._parts.database.read(lambda connection: self._sql.provisioned_lately(connection, lately=lately))
        )

    def _expect(self, answer: requests.Response, *statuses: int) -> None:
        if answer.status_code not in statuses:
            text = answer.text.strip().splitlines()
            said = text[0][:200] if text else "nothing"
            raise NotProved(
                f"{answer.request.method} {answer.request.path_url} was answered {answer.status_code}: {said}"
            )

    def erase(self) -> None:
        """Removes every row of this proof, and of any that was broken off."""
        with self._parts.database.transaction() as connection:
            staff = [row.id for row in self._sql.staff_of_proofs(connection, pattern=f"%@{DOMAIN}")]
            if not staff:
                return
            rows = list(self._sql.lock_requests(connection, staff=staff))
            found = {
                "requests": [row.id for row in rows],
                "users": [row.user_id for row in rows if row.user_id is not None],
                "staff": staff,
            }
            self._delete(connection, found)

    def _delete(self, connection: Any, found: dict[str, list[UUID]]) -> None:
        requests_, users, staff = found["requests"], found["users"], found["staff"]
        self._sql.delete_invitations(connection, users=users)
        if (
            self._parts.settings.identity_provider == "postgres"
        ):  # elsewhere the table is not ours; erasing emptied the row
            self._sql.delete_auth_users(connection, users=users)
        self._sql.delete_sales(connection, requests=requests_)
        self._sql.delete_customers(connection, requests=requests_)
        texts = [str(one) for one in staff]
        self._sql.delete_activity(connection, staff=staff, requests=requests_, staff_texts=texts)
        self._sql.delete_mails(connection, requests=requests_)
        self._sql.delete_steps(connection, requests=requests_)
        self._sql.delete_requests(connection, requests=requests_)
        self._sql.delete_tokens(connection, staff=staff)
        self._sql.delete_staff(connection, staff=staff)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: python -m tripwire_api.deploy.proof URL NAME", file=sys.stderr)
        return 2
    warnings.filterwarnings("ignore", "Unverified HTTPS request")
    try:
        with deploy_parts() as parts:
            print(Proof(parts, *arguments).run())
    except (NotProved, TripwireError) as error:
        print(error, file=sys.stderr)
        return 1
    except requests.RequestException as error:
        print(f"{arguments[0]} cannot be reached: {type(error).__name__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
