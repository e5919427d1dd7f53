"""Accounts of people, joined to the database and to this place's keys."""

from __future__ import annotations

from datetime import timedelta

from app.place import Place
from app.settings import Settings
from foundation.clock import Clock
from foundation.database import Database
from foundation.identity.accounts import Accounts, Lives, Stores
from foundation.identity.passwords import Passwords
from foundation.identity.second_factor import Box
from foundation.identity.sql import PostgresRoles, PostgresSessions, PostgresThrottle, PostgresUsers
from foundation.secret import Secret

_KEY = "accounts"


def open_accounts(database: Database, settings: Settings, place: Place, clock: Clock) -> Accounts:
    stores = Stores(
        users=PostgresUsers(database),
        roles=PostgresRoles(database),
        sessions=PostgresSessions(database),
        throttle=PostgresThrottle(database),
    )
    web = settings.web
    key = web.secret_key or Secret(place.secrets.get(_KEY))
    lives = Lives(idle=timedelta(seconds=web.session_idle_s), absolute=timedelta(seconds=web.session_life_s))
    return Accounts(stores, Passwords(), Box(key), clock, lives=lives, title=f"Rimay {web.organisation}")
