from __future__ import annotations

from tests.support.web import Api


async def test_pages_of_the_trail_and_its_verdict(api: Api) -> None:
    for number in range(5):
        body = {"username": f"nuevo{number}", "name": "Nuevo", "role": "agent"}
        await api.json("POST", "/api/v1/users", "admin", 201, json=body)
    first = await api.get("/api/v1/audit?action=user.added&limit=3", "manager")
    assert [item["after"]["username"] for item in first["items"]] == ["nuevo4", "nuevo3", "nuevo2"]
    assert {item["actor_name"] for item in first["items"]} == {"admin"}
    assert {item["origin"] for item in first["items"]} == {"127.0.0.1"}
    rest = await api.get(f"/api/v1/audit?action=user.added&limit=3&after={first['next']}", "manager")
    assert [item["after"]["username"] for item in rest["items"]] == ["nuevo1", "nuevo0"]
    assert rest["next"] is None
    verdict = await api.get("/api/v1/audit/verify", "manager")
    assert (verdict["ok"], verdict["broken"]) == (True, None)
    assert verdict["entries"] == int(verdict["head"].partition(":")[0]) > 5


async def test_who_changed_what_from_what(api: Api) -> None:
    body = {"username": "ana", "name": "Ana", "role": "supervisor", "agent": "ana"}
    await api.json("PUT", f"/api/v1/users/{api.platform.user_ids['ana']}", "admin", 200, json=body)
    (item,) = (await api.get("/api/v1/audit?target=user:u-ana", "admin"))["items"]
    assert (item["before"]["role"], item["after"]["role"]) == ("agent", "supervisor")
