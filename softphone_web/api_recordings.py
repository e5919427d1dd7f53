"""Recordings: what there is of an interaction, and the audio itself."""

from __future__ import annotations

from aiohttp import web

from foundation.errors import NotFound
from softphone_web.api_interactions import visible_interaction
from softphone_web.call import Call
from softphone_web.downloads import send_file
from softphone_web.permissions import RECORDINGS, guard_recording, recording_not_found
from softphone_web.ports import RecordingView
from softphone_web.routes import Routes
from softphone_web.schemas import RecordingList, RecordingOut, RecordingPath, RecordingQuery, recording_out

routes = Routes("/api/v1", tag="recordings")


@routes.get("/recordings", RECORDINGS, raises=(404,))
async def list_recordings(call: Call, query: RecordingQuery) -> RecordingList:
    """The recordings of one interaction."""
    record = await visible_interaction(call, query.interaction)
    guard_recording(call.who, call.agent, record)
    found = await call.deps.recordings.of_interaction(record.id)
    return RecordingList(items=[recording_out(view) for view in found])


@routes.get("/recordings/{recording}", RECORDINGS, raises=(404,))
async def get_recording(call: Call, path: RecordingPath) -> RecordingOut:
    """What is known of one recording."""
    return recording_out(await _visible(call, path.recording))


@routes.get("/recordings/{recording}/audio", RECORDINGS, raises=(404, 409, 416), produces="audio/wav")
async def download_recording(call: Call, path: RecordingPath) -> web.StreamResponse:
    """The audio of a complete recording.

    Whole or by Range; stereo, the citizen left, the agent right. Every download is kept in the audit trail.
    """
    view = await _visible(call, path.recording)
    file = await call.deps.recordings.open(view.id)
    try:
        return await send_file(
            call.request,
            file,
            name=f"{view.id}.wav",
            before=lambda sent: call.audit(
                "recording.downloaded", f"recording:{view.id}", interaction=view.interaction, bytes=sent
            ),
        )
    finally:
        await file.close()


async def _visible(call: Call, recording: str) -> RecordingView:
    try:
        view = await call.deps.recordings.get(recording)
        record = await call.deps.interactions.get(view.interaction)
    except NotFound as error:
        raise recording_not_found() from error  # word for word what the guard says
    guard_recording(call.who, call.agent, record)
    return view
