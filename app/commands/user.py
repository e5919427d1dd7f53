"""`rimay user`: accounts of people, at the machine's own command line. The first administrator is made here."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys

from app.identity import open_accounts
from app.organisation import Organisation
from app.place import Place
from app.running import progress
from app.running import run as run_now
from app.servers import open_stores
from app.settings import Settings, read_settings
from foundation import migrations
from foundation.access import OPERATOR
from foundation.clock import SystemClock
from foundation.database import Database
from foundation.errors import Invalid
from foundation.identity.model import User
from foundation.identity.passwords import temporary_password
from foundation.identity.people import People, UserFields
from foundation.logs import configure
from foundation.secret import Secret

_ORIGIN = "command line"


def run(args: argparse.Namespace) -> int:
    if args.action != "list" and not args.username:
        raise Invalid(f"`user {args.action}` needs a user name")
    settings = read_settings(args.config)
    configure(settings.logs.model_copy(update={"level": "warning"}))
    place = Place.open(args.var, user_name=settings.servers.user)
    given = _given(args)
    run_now(_do(args, settings, place, given))
    return 0


def _given(args: argparse.Namespace) -> Secret | None:
    """A password that the person chose: typed, or on stdin. Never an argument: all users of the machine read those."""
    if not args.ask_password:
        return None
    typed = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not typed:
        raise Invalid("no password was given")
    return Secret(typed)


async def _do(args: argparse.Namespace, settings: Settings, place: Place, given: Secret | None) -> None:
    async with open_stores(settings, place, progress()) as stores:
        await asyncio.to_thread(migrations.upgrade, stores.database_url)
        database = Database(stores.database_url, pool_size=1)
        clock = SystemClock()
        accounts, _ = open_accounts(database, settings, place, clock)
        is_agent = Organisation(place.var, settings).has_agent
        people = People(accounts.stores, accounts.passwords, clock, is_agent=is_agent)
        try:
            await _ACTIONS[args.action](people, args, given)
        finally:
            accounts.passwords.close()
            await database.dispose()


async def _add(people: People, args: argparse.Namespace, given: Secret | None) -> None:
    fields = UserFields(
        username=args.username, name=args.name or args.username, role=args.role or "agent", agent=args.agent
    )
    password = given or Secret(temporary_password())
    user = await people.add(fields, by=OPERATOR, origin=_ORIGIN, password=password, must_change=given is None)
    _tell(user, None if given else password)


async def _password(people: People, args: argparse.Namespace, given: Secret | None) -> None:
    user = await people.named(args.username)
    password = given or Secret(temporary_password())
    await people.set_password(user.id, password, by=OPERATOR, origin=_ORIGIN, must_change=given is None)
    _tell(user, None if given else password)


async def _list(people: People, args: argparse.Namespace, given: Secret | None) -> None:
    for user in await people.users():
        notes = [f"agent {user.agent}" if user.agent else "", "disabled" if user.disabled else ""]
        notes += ["second factor" if user.has_totp else "", "single sign-on" if user.subject else ""]
        print(
            f"{user.username:<20} {user.role:<12} {user.name:<30} {', '.join(note for note in notes if note)}".rstrip()
        )


async def _disable(people: People, args: argparse.Namespace, given: Secret | None) -> None:
    await _set_disabled(people, args, disabled=True)


async def _enable(people: People, args: argparse.Namespace, given: Secret | None) -> None:
    await _set_disabled(people, args, disabled=False)


async def _set_disabled(people: People, args: argparse.Namespace, *, disabled: bool) -> None:
    user = await people.named(args.username)
    fields = UserFields(username=user.username, name=user.name, role=user.role, agent=user.agent, disabled=disabled)
    await people.change(user.id, fields, by=OPERATOR, origin=_ORIGIN)
    print(
        f"rimay: {user.username} is {'disabled; its sessions have ended' if disabled else 'enabled'}", file=sys.stderr
    )


async def _no_totp(people: People, args: argparse.Namespace, given: Secret | None) -> None:
    user = await people.named(args.username)
    await people.remove_totp(user.id, by=OPERATOR, origin=_ORIGIN)
    print(f"rimay: {user.username} signs in without a second factor", file=sys.stderr)


async def _unlock(people: People, args: argparse.Namespace, given: Secret | None) -> None:
    user = await people.named(args.username)
    lifted = await people.lift_lockout(user.id, by=OPERATOR, origin=_ORIGIN)
    said = "may try to sign in again at once" if lifted else "had no refused attempts"
    print(f"rimay: {user.username} {said}", file=sys.stderr)


def _tell(user: User, password: Secret | None) -> None:
    """The password alone on stdout, for scripts."""
    if password is None:
        print(f"rimay: {user.username} ({user.role}) has the password that you gave", file=sys.stderr)
        return
    print(password.get_secret_value())
    print(f"rimay: temporary password of {user.username} ({user.role}). It is not shown again.", file=sys.stderr)


_ACTIONS = {
    "add": _add,
    "list": _list,
    "password": _password,
    "disable": _disable,
    "enable": _enable,
    "no-second-factor": _no_totp,
    "unlock": _unlock,
}
