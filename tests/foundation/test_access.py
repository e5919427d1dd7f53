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
        (Permission.SUPERVISE_TAKE_OVER, {Role.SUPERVISOR}),
        (Permission.INTERACTIONS_CONTROL, {Role.SUPERVISOR}),
        (Permission.USERS_WRITE, {Role.ADMIN}),
        (Permission.ROLES_WRITE, {Role.ADMIN}),
        (Permission.CUSTOMERS_READ, {Role.AGENT, Role.SUPERVISOR, Role.MANAGER, Role.SERVICE}),
    ],
)
def test_who_holds_the_sensitive_ones(permission: Permission, roles: set[Role]) -> None:
    assert {role for role, held in PERMISSIONS.items() if permission in held} == roles


def test_a_role_of_the_customers_own_has_what_it_was_given_and_no_more() -> None:
    checker = Principal(id="u2", name="Eva", role="calidad", granted=frozenset({Permission.RECORDINGS_READ}))
    assert checker.may(Permission.RECORDINGS_READ)
    assert not checker.may(Permission.INTERACTIONS_READ)
    assert Principal(id="u3", name="Leo", role="vanished").permissions == frozenset()


def test_who_must_change_the_password_may_nothing_else() -> None:
    admin = Principal(id="u4", name="Iris", role=Role.ADMIN, must_change_password=True)
    assert admin.permissions == frozenset()
