"""Accounts of people, joined to the database and to this place's keys."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from app.place import Place
from app.settings import Settings
from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import Unavailable
from foundation.identity.accounts import Accounts, Lives, Stores
from foundation.identity.oidc import Oidc, Rules
from foundation.identity.oidc_http import HttpProvider
from foundation.identity.passwords import Passwords
from foundation.identity.second_factor import Box
from foundation.identity.sql import PostgresRoles, PostgresSessions, PostgresThrottle, PostgresUsers
from foundation.identity.standings import Standings
from foundation.logs import get_logger
from foundation.secret import Secret
from softphone_web.settings import WebSettings

log = get_logger(__name__)
_KEY = "accounts"
_TIDY_EVERY_S = 3600.0


async def keep_tidy(accounts: Accounts) -> None:
    """For ever; what cannot be tidied now is tidied at the next turn."""
    while True:
        try:
            await accounts.tidy()
        except Unavailable as error:
            log.warning("accounts.not_tidied", code=error.code)
        await asyncio.sleep(_TIDY_EVERY_S)


@asynccontextmanager
async def single_sign_on(web: WebSettings, clock: Clock) -> AsyncIterator[Oidc | None]:
    """None where the settings name no provider. It is first asked when somebody signs in: we start without it."""
    chosen = web.oidc
    if chosen is None:
        yield None
        return
    rules = Rules(
        issuer=chosen.issuer,
        client_id=chosen.client_id,
        scopes=chosen.scopes,
        username_claim=chosen.username_claim,
        name_claim=chosen.name_claim,
        role_claim=chosen.role_claim,
        agent_claim=chosen.agent_claim,
        roles=chosen.roles,
        default_role=chosen.default_role,
    )
    async with HttpProvider(chosen.issuer, chosen.client_id, chosen.client_secret) as provider:
        yield Oidc(rules, provider, clock)


def _key(settings: Settings, place: Place) -> Secret:
    return settings.web.secret_key or Secret(place.secrets.get(_KEY))


def secret_of(settings: Settings, place: Place, purpose: str) -> Secret:
    """A key of its own for that purpose, the same at each start and on each machine that shares `web.secret_key`."""
    return Secret(hmac.new(_key(settings, place).get_secret_value().encode(), purpose.encode(), "sha256").hexdigest())


def open_accounts(database: Database, settings: Settings, place: Place, clock: Clock) -> tuple[Accounts, Standings]:
    """The standings are remembered while somebody watches them."""
    standings = Standings(PostgresSessions(database), clock)
    stores = Stores(
        users=PostgresUsers(database, standings.drop),
        roles=PostgresRoles(database, standings.drop),
        sessions=standings,
        throttle=PostgresThrottle(database),
    )
    web = settings.web
    key = _key(settings, place)
    lives = Lives(idle=timedelta(seconds=web.session_idle_s), absolute=timedelta(seconds=web.session_life_s))
    accounts = Accounts(stores, Passwords(), Box(key), clock, lives=lives, title=f"Rimay {web.organisation}")
    return accounts, standings
