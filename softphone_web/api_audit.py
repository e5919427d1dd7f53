"""The audit trail and the settings in force, to read."""

from __future__ import annotations

from foundation.access import Permission
from foundation.audit import AuditQuery
from softphone_web.call import Call
from softphone_web.look_ups import look_ups_of, target_of
from softphone_web.routes import Routes
from softphone_web.schemas_identity import (
    AuditPage,
    AuditQueryIn,
    AuditSearch,
    AuditVerdict,
    SettingOut,
    SettingsOut,
    audit_entry_out,
    audit_verdict,
)

routes = Routes("/api/v1", tag="audit")


@routes.get("/audit", (Permission.AUDIT_READ,))
async def list_audit(call: Call, query: AuditQueryIn) -> AuditPage:
    """Who did what, newest first.

    `action` that ends in a dot is a beginning (`user.`). Pages are followed by `next`, passed as `after`.
    """
    return await _page(call, query, None)


@routes.post("/audit/search", (Permission.AUDIT_READ,))
async def search_audit(call: Call, body: AuditSearch) -> AuditPage:
    """Who looked a citizen up, newest first. That it was asked is an entry itself."""
    marked = look_ups_of(call).mark(body.citizen)
    await call.audit("audit.searched", target_of(body.citizen), citizen=[marked])
    return await _page(call, body, marked)


async def _page(call: Call, query: AuditQueryIn, citizen: str | None) -> AuditPage:
    wanted = AuditQuery(
        citizen=citizen,
        actor=query.actor,
        action=query.action,
        target=query.target,
        since=query.since,
        until=query.until,
        before_n=query.after,
    )
    found = await call.deps.audit.page(wanted, limit=query.limit + 1)
    shown = found[: query.limit]
    return AuditPage(
        items=[audit_entry_out(link) for link in shown],
        next=shown[-1].n if len(found) > query.limit else None,
    )


@routes.get("/audit/verify", (Permission.AUDIT_READ,))
async def verify_audit(call: Call) -> AuditVerdict:
    """Whether the audit trail is as it was written, and where it breaks when not."""
    return audit_verdict(await call.deps.audit.verify())


@routes.get("/settings", (Permission.SETTINGS_READ,))
async def list_settings(call: Call) -> SettingsOut:
    """The settings in force; secrets are not shown."""
    return SettingsOut(items=[SettingOut(key=s.key, value=s.value, source=s.source) for s in call.deps.shown_settings])
