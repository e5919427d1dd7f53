from __future__ import annotations

import pytest

from foundation.access import PERMISSIONS, Permission, PermissionDenied, Principal, Role, require


def test_every_role_has_its_line_and_every_permission_somebody() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert frozenset().union(*PERMISSIONS.values()) == set(Permission)


def test_require() -> None:
    agent = Principal(id="u1", name="Ana", role=Role.AGENT)
    require(agent, Permission.CALLS_HANDLE)
    with pytest.raises(PermissionDenied, match=r"role agent lacks tokens\.write") as caught:
        require(agent, Permission.TOKENS_WRITE)
    assert caught.value.is_permanent


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        (Permission.TOKENS_WRITE, {Role.ADMIN}),
        (Permission.SETTINGS_WRITE, {Role.ADMIN}),
        (Permission.SUPERVISE_LISTEN, {Role.SUPERVISOR}),
        (Permission.RECORDINGS_READ, {Role.SUPERVISOR, Role.MANAGER, Role.SERVICE}),
        (Permission.AUDIT_READ, {Role.MANAGER, Role.ADMIN}),
        (Permission.CALLS_HANDLE, {Role.AGENT, Role.SUPERVISOR}),
    ],
)
def test_who_holds_the_sensitive_ones(permission: Permission, roles: set[Role]) -> None:
    assert {role for role, held in PERMISSIONS.items() if permission in held} == roles
