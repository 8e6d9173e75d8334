"""Adding cameras: found in the network, looked at, watched from now on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, FiniteFloat, SecretStr, StringConstraints

from pipeline.api.answers import Answer
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Conflicting, QuestionInvalid
from pipeline.api.routing import Routes
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import CAMERA, CameraPath
from pipeline.cameras_file import AddedCameras, Entry, check_camera, within
from pipeline.config import named_in
from storage.audit import audited
from storage.desk.types import Role
from streams.address import shown
from streams.config import CameraConfig
from streams.errors import ConfigInvalid
from streams.types import CameraId

routes = Routes("setup")
_STARTS_ANEW = "the watcher starts anew with it by itself"
_START_IT = "start the watcher anew: it reads its cameras at its start"

Source = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=2048,
        description="rtsp:// or rtsps:// with user and password, or the path of a recording below "
        "the folder of the configuration. Never told again.",
        examples=["rtsp://op:secret@192.0.2.7/stream1"],
    ),
]
Transport = Literal["tcp", "udp"]
Light = Literal["auto", "visible", "infrared"]
Name = Annotated[str, StringConstraints(pattern=CAMERA)]
Part = Annotated[FiniteFloat, Field(ge=0, le=1)]


class Settings(Answer):
    """How a camera is watched; what is left out stays, or is as config.yaml says by default."""

    modality: Light | None = Field(None, description="The light that it sees.", examples=["auto"])
    transport: Transport | None = None
    starts_at: AwareDatetime | None = Field(None, description="Recordings only.", examples=[None])
    region: tuple[Part, Part, Part, Part] | None = Field(None, examples=[None])


class AskedProbe(Answer):
    """A camera to be looked at: one by its address, or one that is watched already, by its name."""

    source: Source | None = None
    camera: Name | None = Field(None, examples=[None])
    transport: Transport = "tcp"


class NewCamera(Settings):
    """A camera to be watched."""

    name: Name = Field(examples=["gate-2"])
    source: Source


class Change(Settings):
    """What is to be another way."""

    source: Source | None = None


class ProbeAnswer(Answer):
    """What was seen in a short look."""

    camera: str = Field(description="Its address, without user and password.")
    codec: str
    width_px: int
    height_px: int
    fps: float | None
    keyframe_interval_s: float | None
    modality: Literal["visible", "infrared"]
    first_frame_s: float
    has_sender_clock: bool
    clock_off_s: float | None
    advice: list[str] = Field(description="What to change, in words; empty: it is good.")


class FoundAnswer(Answer):
    """A camera that answered in this network."""

    address: str = Field(description="Host name or number.", examples=["192.0.2.7"])
    name: str | None = Field(description="As it calls itself.", examples=["Yard"])
    model: str | None


class FoundCameras(Answer):
    """All that answered, by address."""

    items: list[FoundAnswer]


class ChangedCamera(Answer):
    """A camera that was added, changed or taken away."""

    camera: str = Field(examples=["gate-2"])
    address: str = Field(description="Without user and password; of a recording, its path.")
    is_live: bool
    watcher: str = Field(description="What must still be done.", examples=[_STARTS_ANEW])


@routes.post("/cameras/probe", least=Role.ADMIN, needs_all=True)
def look(asked: AskedProbe, visitor: VisitorOf, desk: DeskOf) -> ProbeAnswer:
    """Look at a camera for some seconds, and say what is good and what to change."""
    if (asked.source is None) is (asked.camera is None):
        raise QuestionInvalid("expected either `source`, an address, or `camera`, a name")
    if asked.camera is None:
        camera = _check(desk, {"name": "probe", **_told(asked)})
    else:
        camera = _watched(desk, visitor, asked.camera)
        camera = camera.model_copy(update={"transport": asked.transport})
    folder = desk.now.file.path.parent
    _write_down(desk, visitor, "look at camera", asked.camera or "", camera)
    found = desk.looking.probe(within(folder, camera), folder=folder)
    address = _address(camera).removeprefix(f"{folder}/")
    return ProbeAnswer.model_validate({**found, "camera": address})


@routes.post("/cameras/discover", least=Role.ADMIN, needs_all=True)
def look_around(desk: DeskOf) -> FoundCameras:
    """Ask the network which cameras there are (ONVIF); takes three seconds."""
    found = desk.looking.discover()
    return FoundCameras(
        items=[FoundAnswer(address=f.address, name=f.name, model=f.model) for f in found]
    )


@routes.post("/cameras", least=Role.ADMIN, needs_all=True, status_code=201)
def add_camera(asked: NewCamera, visitor: VisitorOf, desk: DeskOf) -> ChangedCamera:
    """Watch a camera from now on."""
    entry = _told(asked)
    camera = _check(desk, entry)

    def add(there: AddedCameras) -> Sequence[Entry]:
        if any(each.name == camera.name for each in desk.config.cameras):
            raise Conflicting(f"there is a camera {camera.name!r} already; choose another name")
        _refuse_mixed(camera, desk.config.cameras)
        _write_down(desk, visitor, "add camera", camera.name, camera)
        return (*there.entries, entry)

    desk.now.file.change(add)
    return _to_changed(desk, camera)


@routes.put("/cameras/{camera}", least=Role.ADMIN, needs_all=True)
def change_camera(
    camera: CameraPath, asked: Change, visitor: VisitorOf, desk: DeskOf
) -> ChangedCamera:
    """Watch a camera another way that was added here; what is left out stays."""
    name = desk.require_camera(visitor, camera)
    changed: list[CameraConfig] = []

    def change(there: AddedCameras) -> Sequence[Entry]:
        index = _index(name, there)
        entry = {**there.entries[index], **_told(asked)}
        made = _check(desk, entry, written=there.entries[index].get("source"))
        _refuse_mixed(made, [each for each in desk.config.cameras if each.name != name])
        _write_down(desk, visitor, "change camera", name, made)
        changed.append(made)
        return (*there.entries[:index], entry, *there.entries[index + 1 :])

    desk.now.file.change(change)
    return _to_changed(desk, changed[0])


@routes.delete("/cameras/{camera}", least=Role.ADMIN, needs_all=True)
def remove_camera(camera: CameraPath, visitor: VisitorOf, desk: DeskOf) -> ChangedCamera:
    """Watch a camera no more that was added here; what it saw stays."""
    name = desk.require_camera(visitor, camera)
    removed: list[CameraConfig] = []

    def remove(there: AddedCameras) -> Sequence[Entry]:
        index = _index(name, there)
        needed = named_in(desk.config, name)
        if needed is not None:
            raise Conflicting(f"config.yaml names {name} under {needed}; take it out there first")
        removed.append(check_camera(there.entries[index]))
        _write_down(desk, visitor, "remove camera", name, removed[0])
        return (*there.entries[:index], *there.entries[index + 1 :])

    desk.now.file.change(remove)
    return _to_changed(desk, removed[0])


def _watched(desk: Desk, visitor: Visitor, name: str) -> CameraConfig:
    known = desk.configured(visitor).get(desk.require_camera(visitor, name))
    if known is None:
        raise Conflicting(f"{name} is not watched any more; give its address to look at it")
    return known


def _told(asked: Answer) -> dict[str, Any]:
    """What was said, as it is written into the file."""
    said = asked.model_dump(exclude_none=True)
    if "source" in said:
        said["source"] = said["source"].get_secret_value()
    if "starts_at" in said:
        said["starts_at"] = said["starts_at"].isoformat()
    if "region" in said:
        said["region"] = list(said["region"])
    return said


def _check(desk: Desk, entry: Entry, *, written: object = None) -> CameraConfig:
    """The camera that an entry says.

    Args:
        written: The source that stands in the file; whoever wrote it there may do more.
    """
    source = str(entry["source"])
    if "${" in source and source != written:
        raise QuestionInvalid(
            "source: ${...} takes secrets out of the environment in files only; write it out"
        )
    try:
        camera = check_camera(entry)
    except ConfigInvalid as error:
        raise QuestionInvalid(str(error)) from None
    if not camera.is_live and source != written:
        _refuse_path(source, desk.now.file.path.parent.resolve())
    return camera


def _refuse_path(source: str, folder: Path) -> None:
    """Files are read by path only below the folder of the configuration."""
    try:
        path = (folder / source).resolve()
        is_there = path.is_relative_to(folder) and path != folder and path.exists()
    except (OSError, ValueError):  # too long to be a name
        is_there = False
    if not is_there or source.startswith("~"):
        raise QuestionInvalid(
            "source: there is no such recording below the folder of the configuration; expected "
            "its path from there, or rtsp:// or rtsps://"
        )


def _refuse_mixed(camera: CameraConfig, others: Sequence[CameraConfig]) -> None:
    """One watcher watches live cameras or recordings: their clocks differ."""
    other = next((each for each in others if each.is_live is not camera.is_live), None)
    if other is None:
        return
    kinds = ("a recording", "a live camera")
    raise Conflicting(
        f"{kinds[camera.is_live]} cannot be watched beside {kinds[other.is_live]} such as "
        f"{other.name}: their clocks differ; take that out first, or use another site"
    )


def _index(name: CameraId, there: AddedCameras) -> int:
    names = [camera.name for camera in there.cameras]
    if name not in names:
        raise Conflicting(
            f"{name} was not added in the pages and cannot be changed here; change config.yaml"
        )
    return names.index(name)


def _write_down(
    desk: Desk, visitor: Visitor, action: str, subject: str, camera: CameraConfig
) -> None:
    audited(
        desk.database,
        who=visitor.name,
        action=action,
        subject=subject,
        detail={"address": _address(camera)},
        now_us=desk.clock.now_us(),
    )


def _address(camera: CameraConfig) -> str:
    return shown(camera.source.get_secret_value())


def _to_changed(desk: Desk, camera: CameraConfig) -> ChangedCamera:
    return ChangedCamera(
        camera=camera.name,
        address=_address(camera),
        is_live=camera.is_live,
        watcher=_STARTS_ANEW if desk.has_watcher else _START_IT,
    )
