"""The people of the demo: two agents, a supervisor and an administrator, with passwords made anew at each run."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.access import OPERATOR, Role
from foundation.errors import NotFound
from foundation.identity.passwords import temporary_password
from foundation.identity.people import People, UserFields
from foundation.secret import Secret

_ORIGIN = "demo"
_PEOPLE = (
    UserFields(username="ana", name="Ana Cordero", role=Role.AGENT, agent="ana"),
    UserFields(username="luis", name="Luis Vintimilla", role=Role.AGENT, agent="luis"),
    UserFields(username="sonia", name="Sonia Guerrero", role=Role.SUPERVISOR, agent="sonia"),
    UserFields(username="admin", name="Administración", role=Role.ADMIN),
)
# What the router must know of them, beside Ana, who has a phone. Sonia begins no shift: no call is offered to her.
AGENTS = [
    {"id": person.agent, "name": person.name, "queues": ["contact-center"]} for person in _PEOPLE[1:] if person.agent
]


@dataclass(frozen=True, slots=True)
class Login:
    username: str
    role: str
    password: Secret


async def make_people(people: People) -> list[Login]:
    """Accounts of an earlier run in the same folder are as at first again, with new passwords."""
    logins = []
    for fields in _PEOPLE:
        password = Secret(temporary_password())
        try:
            user = await people.named(fields.username)
        except NotFound:
            await people.add(fields, by=OPERATOR, origin=_ORIGIN, password=password, must_change=False)
        else:
            await people.change(user.id, fields, by=OPERATOR, origin=_ORIGIN)
            await people.remove_totp(user.id, by=OPERATOR, origin=_ORIGIN)
            await people.set_password(user.id, password, by=OPERATOR, origin=_ORIGIN, must_change=False)
        logins.append(Login(fields.username, fields.role, password))
    return logins
