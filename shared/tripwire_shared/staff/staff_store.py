"""Staff in PostgreSQL. Their sign-in: `sign_in.py`. argon2 never runs inside a transaction."""

from typing import Any
from uuid import UUID, uuid4

from tripwire_shared.activity.activity import Action
from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.answers.answer import from_row
from tripwire_shared.answers.staff import ListedMember
from tripwire_shared.answers.vocabulary import Role
from tripwire_shared.email_address import normalised_email, readable_email
from tripwire_shared.errors import NotFound
from tripwire_shared.passwords import PasswordHasher
from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.staff.staff import (
    LastAdmin,
    Staff,
    StaffChange,
    StaffExists,
)

NOBODY = "There is no such member of staff."


class StaffStore:
    """Raises DatabaseUnavailable throughout. `by` is the admin who does it, for the activity log."""

    def __init__(self, database: Database, hasher: PasswordHasher, activity: ActivityLog) -> None:
        self._database, self._hasher, self._activity = database, hasher, activity
        self._sql = load_queries(__file__)

    def create(self, email: str, full_name: str, role: Role, password: str | None, by: UUID | None) -> Staff:
        """Raises StaffExists. Without a password the account can only be used by its tokens."""
        password_hash = None if password is None else self._hasher.hash(password)
        with self._database.transaction() as connection:
            row = self._sql.insert_staff(
                connection, id=uuid4(), email=email, full_name=full_name, role=role, password_hash=password_hash
            )
            if row is None:
                raise StaffExists
            self._activity.write(connection, Action.STAFF_ADDED, by, detail={"staff_id": str(row.id), "role": role})
        return staff_of(row)

    def ensure_first_admin(self, email: str, password: str) -> bool:
        """Makes the first admin where there is none; True: it was made now. Safe with many processes at once.

        Raises StaffExists where the address belongs to somebody who is no admin: nobody becomes one by a variable.
        """
        if self._database.read(self._sql.has_admin):
            return False
        email, password_hash = normalised_email(email), self._hasher.hash(password)
        with self._database.connection() as connection:
            made: int = self._sql.insert_first_admin(connection, id=uuid4(), email=email, password_hash=password_hash)
            # Or another process was faster.
            if not made and not self._sql.has_admin(connection) and self._sql.is_staff(connection, email=email):
                raise StaffExists
        return made == 1

    def has_admin(self) -> bool:
        return bool(self._database.read(self._sql.has_admin))

    def list(self) -> tuple[ListedMember, ...]:
        rows = self._database.read(lambda connection: list(self._sql.list_staff(connection, id=None)))
        return tuple(_listed(row) for row in rows)

    def get_listed(self, staff_id: UUID) -> ListedMember:
        """Raises NotFound."""
        row = self._database.read(lambda connection: next(iter(self._sql.list_staff(connection, id=staff_id)), None))
        if row is None:
            raise NotFound(NOBODY)
        return _listed(row)

    def get(self, staff_id: UUID) -> Staff:
        """Raises NotFound."""
        row = self._database.read(lambda connection: self._sql.find_staff(connection, id=staff_id))
        if row is None:
            raise NotFound(NOBODY)
        return staff_of(row)

    def change(self, staff_id: UUID, change: StaffChange, by: UUID) -> Staff:
        """Raises NotFound, or LastAdmin where nobody could administer any more."""
        password_hash = None if change.password is None else self._hasher.hash(change.password)
        with self._database.transaction() as connection:
            if change.active is False or change.role is Role.SALES:
                admins = [row.id for row in self._sql.lock_admins(connection)]
                if admins == [staff_id]:
                    raise LastAdmin
            row = self._sql.change_staff(
                connection,
                id=staff_id,
                full_name=change.full_name,
                role=change.role,
                active=change.active,
                password_hash=password_hash,
            )
            if row is None:
                raise NotFound(NOBODY)
            # Whose account was or is deactivated begins with nothing when it is active again.
            if not row.stayed_active:
                self._sql.end_access(connection, id=staff_id)
            elif password_hash is not None:
                self._sql.end_sessions(connection, id=staff_id)
            detail = {"staff_id": str(staff_id), "role": change.role, "active": change.active}
            detail["password"] = "new" if password_hash else None
            detail["full_name"] = "new" if change.full_name else None
            self._activity.write(connection, Action.STAFF_CHANGED, by, detail=detail)
        return staff_of(row)


def _listed(row: Any) -> ListedMember:
    return from_row(ListedMember, row, email=readable_email(row.email))


def staff_of(row: Any) -> Staff:
    """The account of a row of `staff`."""
    return Staff(row.id, row.email, row.full_name, Role(row.role), row.active)
