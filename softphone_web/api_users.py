"""Accounts and roles, for administrators."""

from __future__ import annotations

from foundation.access import PERMISSIONS, Permission, Role
from foundation.identity.model import BUILT_IN_TITLES, CustomRole, User
from foundation.identity.passwords import temporary_password
from foundation.identity.people import UserFields
from foundation.secret import Secret
from softphone_web.call import Call
from softphone_web.client import client_address
from softphone_web.permissions import PERMISSION_TITLES
from softphone_web.routes import Routes
from softphone_web.schemas import at
from softphone_web.schemas_identity import (
    AddressPath,
    CreatedUser,
    LockedAddressList,
    LockedAddressOut,
    NewRoleBody,
    PermissionList,
    PermissionOut,
    RoleBody,
    RoleList,
    RoleOut,
    RolePath,
    TemporaryPassword,
    UserBody,
    UserList,
    UserOut,
    UserPath,
    user_out,
)

routes = Routes("/api/v1", tag="users")
READ, WRITE, ROLES = (Permission.USERS_READ,), (Permission.USERS_WRITE,), (Permission.ROLES_WRITE,)


@routes.get("/users", READ)
async def list_users(call: Call) -> UserList:
    """All accounts of people, by user name."""
    users = await call.deps.people.users()
    refused = await call.deps.people.refused(users)
    return UserList(items=[user_out(user, refused.get(user.id)) for user in users])


@routes.post("/users", WRITE, status=201, raises=(409,))
async def add_user(call: Call, body: UserBody) -> CreatedUser:
    """A new account, with a temporary password that is shown once."""
    password = Secret(temporary_password())
    user = await call.deps.people.add(_fields(body), by=call.who, origin=_origin(call), password=password)
    return CreatedUser(user=user_out(user), password=password.get_secret_value())


@routes.get("/users/{user}", READ, raises=(404,))
async def get_user(call: Call, path: UserPath) -> UserOut:
    """One account."""
    return await _out(call, await call.deps.people.get(path.user))


@routes.put("/users/{user}", WRITE, raises=(404, 409))
async def change_user(call: Call, path: UserPath, body: UserBody) -> UserOut:
    """Change an account. Disabling it ends its sessions."""
    return await _out(call, await call.deps.people.change(path.user, _fields(body), by=call.who, origin=_origin(call)))


@routes.post("/users/{user}/password", WRITE, status=201, raises=(404,))
async def reset_password(call: Call, path: UserPath) -> TemporaryPassword:
    """Give a temporary password, shown once. The account's sessions end."""
    password = await call.deps.people.reset_password(path.user, by=call.who, origin=_origin(call))
    return TemporaryPassword(password=password.get_secret_value())


@routes.delete("/users/{user}/sessions", WRITE, raises=(404,))
async def end_user_sessions(call: Call, path: UserPath) -> None:
    """Sign somebody out everywhere."""
    await call.deps.people.end_sessions(path.user, by=call.who, origin=_origin(call))


@routes.delete("/users/{user}/totp", WRITE, raises=(404,))
async def remove_user_totp(call: Call, path: UserPath) -> None:
    """Take the second factor off an account whose phone is lost."""
    await call.deps.people.remove_totp(path.user, by=call.who, origin=_origin(call))


@routes.delete("/users/{user}/lockout", WRITE, raises=(404, 409))
async def lift_lockout(call: Call, path: UserPath) -> None:
    """Let somebody who was locked out try again at once. Refused attempts are forgotten; one's own cannot be."""
    await call.deps.people.lift_lockout(path.user, by=call.who, origin=_origin(call))


@routes.get("/locked-addresses", READ)
async def list_locked_addresses(call: Call) -> LockedAddressList:
    """Addresses from which nobody may sign in for now, after too many refused attempts; who waits longest first."""
    return LockedAddressList(
        items=[
            LockedAddressOut(
                address=one.address, attempts=one.failures, last_at=at(one.last_at), locked_until=at(one.locked_until)
            )
            for one in await call.deps.people.locked_addresses()
        ]
    )


@routes.delete("/locked-addresses/{address}", WRITE)
async def lift_locked_address(call: Call, path: AddressPath) -> None:
    """Let an address try again at once; nothing is done, and nothing said, when it is not locked."""
    await call.deps.people.lift_address(path.address, by=call.who, origin=_origin(call))


@routes.get("/roles", READ)
async def list_roles(call: Call) -> RoleList:
    """The built-in roles and those of one's own."""
    built_in = [
        RoleOut(name=role, title=BUILT_IN_TITLES[role], built_in=True, permissions=sorted(PERMISSIONS[role]))
        for role in Role
    ]
    return RoleList(items=[*built_in, *(_role_out(role) for role in await call.deps.people.roles())])


@routes.post("/roles", ROLES, status=201, raises=(409,))
async def add_role(call: Call, body: NewRoleBody) -> RoleOut:
    """A new role: a set of permissions."""
    role = await call.deps.people.put_role(
        body.name, body.title, body.permissions, by=call.who, origin=_origin(call), new=True
    )
    return _role_out(role)


@routes.put("/roles/{role}", ROLES, raises=(404, 409))
async def change_role(call: Call, path: RolePath, body: RoleBody) -> RoleOut:
    """Change a role of one's own; it counts from the next request of whoever has it."""
    role = await call.deps.people.put_role(
        path.role, body.title, body.permissions, by=call.who, origin=_origin(call), new=False
    )
    return _role_out(role)


@routes.delete("/roles/{role}", ROLES, raises=(404, 409))
async def delete_role(call: Call, path: RolePath) -> None:
    """Delete a role that nobody has."""
    await call.deps.people.delete_role(path.role, by=call.who, origin=_origin(call))


@routes.get("/permissions", READ)
async def list_permissions(call: Call) -> PermissionList:
    """All that roles are made of."""
    return PermissionList(items=[PermissionOut(name=one, title=PERMISSION_TITLES[one]) for one in Permission])


def _fields(body: UserBody) -> UserFields:
    return UserFields(username=body.username, name=body.name, role=body.role, agent=body.agent, disabled=body.disabled)


async def _out(call: Call, user: User) -> UserOut:
    return user_out(user, (await call.deps.people.refused([user])).get(user.id))


def _role_out(role: CustomRole) -> RoleOut:
    return RoleOut(name=role.name, title=role.title, built_in=False, permissions=sorted(role.permissions))


def _origin(call: Call) -> str:
    return client_address(call.request, call.deps.settings)
