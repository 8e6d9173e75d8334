"""The site's configuration: one YAML file, closed, typed, with the line of every mistake."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, SecretStr, ValidationError, model_validator

from models.config import DetectorConfig, EmbedderConfig
from pipeline.alerts.channels_config import from_folder
from pipeline.alerts.config import AlertsConfig
from pipeline.api.config import FrontDeskConfig
from pipeline.cameras_file import read_cameras
from pipeline.linking.config import LinkingConfig
from pipeline.live import LiveConfig
from pipeline.tracking.config import TrackingConfig
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
    cameras: Annotated[
        tuple[CameraConfig, ...],
        Field(description="All live (rtsp://) or all recorded (video files, folders of images)."),
    ] = ()
    cameras_file: Annotated[
        Path | None,
        Field(description="Cameras added in the pages, beside those above. Default: cameras.yaml."),
    ] = None
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
    """The configuration in the YAML file `path`.

    Raises:
        ConfigInvalid: With file, line and key of every mistake, and what to do.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigInvalid(
            f"{path}: no such file; start from the config.yaml of the project"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"{path}: cannot be read as text: {error}") from error
    site = _from_folder(parse_config(text, name=str(path)), path.parent)
    return site if site.cameras_file is None else _with_added(site, site.cameras_file)


def _with_added(site: SiteConfig, file: Path) -> SiteConfig:
    """The site with the cameras that were added in the pages."""
    added = read_cameras(file)
    names = {camera.name for camera in site.cameras}
    for camera in added:
        if camera.name in names:
            raise ConfigInvalid(f"{file}: camera {camera.name!r} is in config.yaml, too; rename it")
        names.add(camera.name)
    return site.model_copy(update={"cameras": (*site.cameras, *added)})


def _from_folder(site: SiteConfig, folder: Path) -> SiteConfig:
    """The same site with relative paths starting at `folder`."""
    cameras = tuple(
        camera
        if camera.is_live
        else camera.model_copy(
            update={
                "source": SecretStr(
                    str(folder / Path(camera.source.get_secret_value()).expanduser())
                )
            }
        )
        for camera in site.cameras
    )
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
            "cameras_file": folder / (site.cameras_file or Path("cameras.yaml")).expanduser(),
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
    """The configuration in `text`; `name` is used in errors."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            return SiteConfig()
        _refuse_ambiguity(node, name)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigInvalid(f"{name}:{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigInvalid(f"{name}: not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigInvalid(f"{name}:1: expected keys and values such as `site: my site`")
    try:
        site = SiteConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigInvalid("\n".join(_explain(error, node, name))) from None
    _refuse_unknown(site, node, name)
    return site


def _refuse_unknown(site: SiteConfig, root: yaml.Node, name: str) -> None:
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
                line = _line_of(root, ("alerts", "rules", index, key))
                there = ", ".join(sorted(known[key])) or "none"
                raise ConfigInvalid(
                    f"{name}:{line}: alerts.rules.{index}.{key}: there is no {unknown[0]!r}; "
                    f"there are: {there}"
                )


def _refuse_ambiguity(node: yaml.Node, name: str) -> None:
    """Duplicate keys lose one of two values silently; aliases can blow up: refuse both."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            raise ConfigInvalid(
                f"{name}:{current.start_mark.line + 1}: anchors and aliases (&, *) are not allowed"
            )
        seen.add(id(current))
        if isinstance(current, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in current.value:
                if key.value in keys:
                    raise ConfigInvalid(
                        f"{name}:{key.start_mark.line + 1}: the key {key.value!r} stands twice"
                    )
                keys.add(key.value)
                waiting.append(value)
        elif isinstance(current, yaml.SequenceNode):
            waiting.extend(current.value)


def _explain(error: ValidationError, root: yaml.Node, name: str) -> Iterator[str]:
    for mistake in error.errors(include_input=False, include_url=False):
        line = _line_of(root, mistake["loc"])
        key = ".".join(map(str, mistake["loc"])) or "configuration"
        if mistake["type"] == "extra_forbidden":
            words = "unknown key; `noctule config manual` lists all keys"
        else:
            words = mistake["msg"].removeprefix("Value error, ")
        yield f"{name}:{line}: {key}: {words}"


def _line_of(root: yaml.Node, location: Sequence[int | str]) -> int:
    """Line (from 1) of the key at `location`, or of the deepest part of it that exists."""
    node, line = root, root.start_mark.line
    for step in location:
        child: Any = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == step:
                    line, child = key.start_mark.line, value
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
        ):
            child = node.value[step]
            line = child.start_mark.line
        if child is not None:
            node = child  # else it is no key, but the kind by which a section was chosen
    return line + 1
