"""Adding cameras: found in the network, looked at, watched from now on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pipeline.api.answers import Answer
from pipeline.api.desk import DeskOf
from pipeline.api.errors import Conflicting, QuestionInvalid
from pipeline.api.routing import Routes
from pipeline.api.visitors import VisitorOf
from pipeline.api.words import CAMERA, CameraPath
from pipeline.cameras_file import live_camera
from storage.audit import audited
from storage.desk.types import Role
from streams.config import CameraConfig
from streams.discovery import discover
from streams.errors import (
    AccessDenied,
    ConfigInvalid,
    ConnectFailed,
    SourceUnreadable,
    StreamLost,
)
from streams.probe import probe

routes = Routes("setup")
Address = Annotated[
    str,
    StringConstraints(max_length=2048, pattern=r"^rtsps?://[!-~]+$"),
    Field(examples=["rtsp://op:secret@192.0.2.7/stream1"]),
]
Transport = Literal["tcp", "udp"]


class AskedProbe(Answer):
    """A camera to be looked at."""

    address: Address
    transport: Transport = "tcp"


class AskedCamera(AskedProbe):
    """A camera to be watched."""

    name: Annotated[str, StringConstraints(pattern=CAMERA)] = Field(examples=["gate-2"])


class ProbeAnswer(Answer):
    """What was seen in a short look."""

    codec: str
    width_px: int
    height_px: int
    fps: float | None
    modality: Literal["visible", "infrared"]
    first_frame_s: float
    has_sender_clock: bool
    clock_off_s: float | None
    advice: list[str] = Field(description="What to change; empty: nothing.")


class FoundAnswer(Answer):
    """A camera that answered in this network."""

    address: str = Field(description="Host name or number.")
    name: str | None


class FoundCameras(Answer):
    """All that answered."""

    items: list[FoundAnswer]


class AddedCamera(Answer):
    """A camera that is watched from now on, or no more."""

    camera: str


@routes.post("/cameras/probe", least=Role.ADMIN, needs_all=True)
def look(asked: AskedProbe, desk: DeskOf) -> ProbeAnswer:
    """Look at a camera for some seconds, and say what is good and what to change."""
    camera = _camera("probe", asked)
    try:
        with desk.decoding():
            seen = probe(camera)
    except (AccessDenied, ConnectFailed, StreamLost, SourceUnreadable) as error:
        raise Conflicting(str(error)) from None
    return ProbeAnswer(
        codec=seen.codec,
        width_px=seen.width_px,
        height_px=seen.height_px,
        fps=seen.fps,
        modality=seen.modality.value,
        first_frame_s=seen.first_frame_s,
        has_sender_clock=seen.has_sender_clock,
        clock_off_s=seen.clock_off_s,
        advice=list(seen.advice),
    )


@routes.post("/cameras/discover", least=Role.ADMIN, needs_all=True)
def look_around(desk: DeskOf) -> FoundCameras:
    """Ask the network which cameras there are (ONVIF); takes two seconds."""
    with desk.decoding():
        found = discover()
    return FoundCameras(items=[FoundAnswer(address=f.address, name=f.name) for f in found])


@routes.post("/cameras", least=Role.ADMIN, needs_all=True, status_code=201)
def add_camera(asked: AskedCamera, visitor: VisitorOf, desk: DeskOf) -> AddedCamera:
    """Watch a camera from now on."""
    if desk.cameras_file is None:
        raise Conflicting("this site keeps no file of cameras; set cameras_file in config.yaml")
    if asked.name in desk.all_cameras():
        raise Conflicting(f"there is a camera {asked.name} already; choose another name")
    if any(not camera.is_live for camera in desk.config.cameras):
        raise Conflicting(
            "this site watches recordings, and cannot watch a live camera beside them; take them "
            "out of config.yaml first"
        )
    _camera(asked.name, asked)
    audited(
        desk.database, who=visitor.name, action="add camera", subject=asked.name, detail={},
        now_us=desk.clock.now_us(),
    )  # fmt: skip
    own = desk.cameras_file.add(name=asked.name, address=asked.address, transport=asked.transport)
    desk.take_cameras(own)
    return AddedCamera(camera=asked.name)


@routes.delete("/cameras/{camera}", least=Role.ADMIN)
def remove_camera(camera: CameraPath, visitor: VisitorOf, desk: DeskOf) -> AddedCamera:
    """Watch a camera no more that was added in the pages; what it saw stays."""
    name = desk.require_camera(visitor, camera)
    if desk.cameras_file is None or name not in desk.own_cameras:
        raise Conflicting(f"{name} was not added in the pages; take it out of config.yaml")
    audited(
        desk.database, who=visitor.name, action="remove camera", subject=name, detail={},
        now_us=desk.clock.now_us(),
    )  # fmt: skip
    desk.take_cameras(desk.cameras_file.remove(name))
    return AddedCamera(camera=name)


def _camera(name: str, asked: AskedProbe) -> CameraConfig:
    try:
        return live_camera(name=name, address=asked.address, transport=asked.transport)
    except ConfigInvalid as error:
        raise QuestionInvalid(str(error)) from None
