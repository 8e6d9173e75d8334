"""The site's configuration: one YAML file, closed, typed, with the line of every mistake."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator

from models.config import DetectorConfig, EmbedderConfig
from pipeline.alerts.channels_config import from_folder
from pipeline.alerts.config import AlertsConfig
from pipeline.api.config import FrontDeskConfig
from pipeline.cameras_file import AddedCameras, read_cameras, refuse_twice, within
from pipeline.linking.config import LinkingConfig
from pipeline.live import LiveConfig
from pipeline.tracking.config import TrackingConfig
from pipeline.yaml_file import YamlFile, parse_yaml, read_text
from storage.config import StorageConfig
from storage.retention_config import RetentionConfig
from streams.config import CameraConfig, MotionConfig, Section
from streams.errors import ConfigInvalid
from streams.recording.config import RecordingConfig

_SQLITE = "sqlite:///"


class SiteConfig(Section):
    """Everything that can be set. Relative paths start at the folder of this file."""

    site: Annotated[str, Field(min_length=1, description="Name of the place that is watched.")] = (
        "my site"
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="Least important lines that are logged."),
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"],
        Field(description="text for people; json writes one object per line, for collectors."),
    ] = "text"
    cameras: Annotated[
        tuple[CameraConfig, ...],
        Field(description="All live (rtsp://) or all recorded (video files, folders of images)."),
    ] = ()
    cameras_file: Annotated[
        Path,
        Field(
            description="Cameras that were added in the pages, beside those above; written by the "
            "front desk, readable by its owner only."
        ),
    ] = Path("cameras.yaml")
    motion: Annotated[MotionConfig, Field(description="Skip pictures in which nothing moves.")] = (
        MotionConfig()
    )
    detector: Annotated[DetectorConfig, Field(description="Finding people in pictures.")] = (
        DetectorConfig()
    )
    tracking: Annotated[TrackingConfig, Field(description="Following people in one camera.")] = (
        TrackingConfig()
    )
    embedder: Annotated[EmbedderConfig, Field(description="Describing how people look.")] = (
        EmbedderConfig()
    )
    linking: Annotated[LinkingConfig, Field(description="Recognising people across cameras.")] = (
        LinkingConfig()
    )
    alerts: Annotated[AlertsConfig, Field(description="What operators are warned of.")] = (
        AlertsConfig()
    )
    storage: Annotated[StorageConfig, Field(description="Where everything is remembered.")] = (
        StorageConfig()
    )
    retention: Annotated[
        RetentionConfig, Field(description="How long it is remembered; a live watcher forgets.")
    ] = RetentionConfig()
    recording: Annotated[RecordingConfig, Field(description="Keeping what live cameras send.")] = (
        RecordingConfig()
    )
    live: Annotated[LiveConfig, Field(description="Live pictures for pages.")] = LiveConfig()

    @property
    def recordings_folder(self) -> Path:
        """Where recordings are."""
        return self.recording.folder or self.storage.evidence.parent / "recordings"

    @property
    def live_folder(self) -> Path:
        """Where the watcher leaves its newest pictures."""
        return self.live.folder or self.storage.evidence.parent / "live"

    front_desk: Annotated[FrontDeskConfig, Field(description="Pages and API: `noctule serve`.")] = (
        FrontDeskConfig()
    )

    @model_validator(mode="after")
    def _check_cameras(self) -> SiteConfig:
        names = [camera.name for camera in self.cameras]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"cameras: the name {twice[0]!r} is used twice; names must differ")
        unknown = {n for pair in self.linking.overlapping for n in pair} - set(names)
        if unknown:
            raise ValueError(f"linking.overlapping: no camera is named {sorted(unknown)[0]!r}")
        ends = {n for way in self.linking.transits for n in (way.from_camera, way.to_camera)}
        if ends - set(names):
            raise ValueError(f"linking.transits: no camera is named {min(ends - set(names))!r}")
        return self

    def fingerprint(self) -> str:
        """First 12 hex digits of the sha256 of all settings; secrets count only as their mask."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def load_config(path: Path) -> SiteConfig:
    """The configuration in the YAML file `path`, with the cameras of its `cameras_file`.

    Raises:
        ConfigInvalid: With file, line and key of every mistake, and what to do.
    """
    try:
        text = read_text(path)
    except FileNotFoundError:
        raise ConfigInvalid(
            f"{path}: no such file; start from the config.yaml of the project"
        ) from None
    file = parse_yaml(text, name=str(path))
    named = file.values.get("cameras_file", SiteConfig.model_fields["cameras_file"].default)
    added = None
    if isinstance(named, str | Path):
        added = read_cameras(path.parent / Path(named).expanduser())
    return _from_folder(_read_site(file, added), path.parent)


def _from_folder(site: SiteConfig, folder: Path) -> SiteConfig:
    """The same site with relative paths starting at `folder`."""
    cameras = tuple(within(folder, camera) for camera in site.cameras)
    url = site.storage.database.get_secret_value()
    if url.startswith(_SQLITE):
        url = f"{_SQLITE}{folder / Path(url.removeprefix(_SQLITE))}"
    storage = site.storage.model_copy(
        update={
            "database": SecretStr(url),
            "index": site.storage.index and folder / site.storage.index.expanduser(),
            "evidence": folder / site.storage.evidence.expanduser(),
            "spool": folder / site.storage.spool.expanduser(),
        }
    )
    recording = site.recording.model_copy(
        update={"folder": site.recording.folder and folder / site.recording.folder.expanduser()}
    )
    live = site.live.model_copy(
        update={"folder": site.live.folder and folder / site.live.folder.expanduser()}
    )
    alerts = site.alerts.model_copy(update={"channels": from_folder(site.alerts.channels, folder)})
    desk = site.front_desk.model_copy(
        update={
            "tls_certificate": _below(folder, site.front_desk.tls_certificate),
            "tls_key": _below(folder, site.front_desk.tls_key),
        }
    )
    return site.model_copy(
        update={
            "cameras": cameras,
            "cameras_file": folder / site.cameras_file.expanduser(),
            "storage": storage,
            "recording": recording,
            "live": live,
            "alerts": alerts,
            "front_desk": desk,
        }
    )


def _below(folder: Path, file: Path | None) -> Path | None:
    return None if file is None else folder / file.expanduser()


def parse_config(text: str, *, name: str) -> SiteConfig:
    """The configuration in `text`, without a `cameras_file`; `name` is used in errors."""
    return _read_site(parse_yaml(text, name=name), None)


def _read_site(file: YamlFile, added: AddedCameras | None) -> SiteConfig:
    """What two files say together, for other settings may name cameras of both."""
    values = dict(file.values)
    own = values.get("cameras", [])
    if added is not None and added.cameras and isinstance(own, list | tuple):
        _refuse_twice(file, own, added)
        values["cameras"] = [*own, *added.cameras]
    try:
        site = SiteConfig.model_validate(values)
    except ValidationError as error:
        raise file.refusal(error) from None
    _refuse_unknown(site, file)
    return site


def _refuse_twice(file: YamlFile, own: Sequence[object], added: AddedCameras) -> None:
    names = {
        str(camera["name"]): f"{file.name}:{file.line_of(('cameras', index, 'name'))}"
        for index, camera in enumerate(own)
        if isinstance(camera, dict) and "name" in camera
    }
    refuse_twice(added.file, [camera.name for camera in added.cameras], others=names)


def named_in(site: SiteConfig, camera: str) -> str | None:
    """The first setting that names a camera and would be wrong without it, or None."""
    if any(camera in pair for pair in site.linking.overlapping):
        return "linking.overlapping"
    if any(camera in (way.from_camera, way.to_camera) for way in site.linking.transits):
        return "linking.transits"
    rule = next((rule for rule in site.alerts.rules if camera in rule.cameras), None)
    return None if rule is None else f"alerts.rules, {rule.name!r}"


def _refuse_unknown(site: SiteConfig, file: YamlFile) -> None:
    """Rules of alerting may name cameras and channels of this file only.

    Zones and lines may be drawn in the pages, so the watcher tells of those.
    """
    known = {
        "cameras": {camera.name for camera in site.cameras},
        "channels": {channel.name for channel in site.alerts.channels},
    }
    for index, rule in enumerate(site.alerts.rules):
        for key, named in (("cameras", rule.cameras), ("channels", rule.channels)):
            unknown = sorted(set(named) - known[key])
            if unknown:
                there = ", ".join(sorted(known[key])) or "none"
                where = file.place(("alerts", "rules", index, key))
                raise ConfigInvalid(f"{where}: there is no {unknown[0]!r}; there are: {there}")
