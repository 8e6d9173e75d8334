"""The rules that hold now: of the configuration and of the pages, with what they speak of."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from pipeline.alerts.engine import Broken
from pipeline.alerts.kinds import AnyRule, parse_rule, settings_of
from pipeline.alerts.settings import Drawn, RuleSettings, Site, kind_of
from pipeline.alerts.types import Wanted
from pipeline.config import SiteConfig
from pipeline.errors import RuleUnusable
from pipeline.linking.evidence import Calibrated
from pipeline.linking.gallery import means_by_light
from pipeline.transit_times import learn_topology
from storage.database import Database
from storage.desk.interest import Interest, standing_interests
from storage.desk.rules import NewRule, Rule, keep_config_rules, standing_rules
from storage.desk.shapes import Shape, standing_shapes
from storage.desk.types import RuleOrigin, ShapeKind
from storage.errors import DeskRefused
from storage.types import IdentityId
from streams.types import CameraId

logger = logging.getLogger(__name__)

_TRANSIT = "impossible transit"
_LEARN_EVERY_US = 3_600_000_000
_LEAST_TRANSITS = 5
_SHORTEST_SHARE = 0.5
"""Of the shortest transit ever seen: nobody is expected to be twice as quick."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Book:
    """What holds at a time.

    Attributes:
        broken: Rules that cannot be read, or not be told as they say.
    """

    rules: tuple[RuleSettings, ...]
    site: Site
    broken: tuple[Broken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What the database said."""

    rules: tuple[Rule, ...]
    shapes: tuple[Shape, ...]
    interests: tuple[tuple[int, IdentityId | None, tuple[str | None, ...]], ...]


class RuleBook:
    """Reads rules again when they change. Used by one thread.

    Args:
        model: The network in use.
        calibration: Its own.
    """

    def __init__(
        self, config: SiteConfig, database: Database, *, model: str, calibration: Calibrated
    ) -> None:
        self._config = config
        self._database = database
        self._model = model
        self._calibration = calibration
        self._read: _Read | None = None
        self._learned_us: int | None = None
        self._least_s: dict[tuple[CameraId, CameraId], float] = {}

    def keep_config(self, now_us: int) -> None:
        """Let the pages show the rules of the configuration."""
        wanted = [
            NewRule(name=rule.name, kind=kind_of(rule), settings=settings_of(rule))
            for rule in self._config.alerts.rules
        ]
        try:
            keep_config_rules(self._database, wanted, now_us=now_us)
        except DeskRefused as error:
            logger.error("rules of the configuration are not shown in the pages: %s", error)

    def changed(self, now_us: int) -> Book | None:
        """What holds now, if that is not what held the last time.

        Raises:
            Transient: The database is away; what held goes on.
        """
        rules = tuple(standing_rules(self._database))
        interests = tuple(standing_interests(self._database, now_us=now_us))
        read = _Read(
            rules=tuple(rule for rule in rules if rule.origin is RuleOrigin.PAGE),
            shapes=tuple(standing_shapes(self._database)),
            interests=tuple(
                (each.id, each.identity, tuple(example.model for example in each.examples))
                for each in interests
            ),
        )
        uses_ways = any(kind_of(rule) == _TRANSIT for rule in self._config.alerts.rules) or any(
            rule.kind == _TRANSIT and rule.is_on for rule in rules
        )
        has_learned = uses_ways and self._learn(now_us)
        if read == self._read and not has_learned:
            return None
        self._read = read
        return self._book(read, interests)

    def _book(self, read: _Read, interests: tuple[Interest, ...]) -> Book:
        alerts = self._config.alerts
        rules: list[AnyRule] = list(alerts.rules)
        broken: list[Broken] = []
        names = {rule.name for rule in rules}
        for row in read.rules:
            if not row.is_on or row.name in names:
                continue
            try:
                rules.append(parse_rule(row.name, row.kind, row.settings))
            except RuleUnusable as error:
                broken.append(Broken(rule=row.name, kind=row.kind, why=str(error)))
        channels = {channel.name for channel in alerts.channels}
        for rule in rules:
            unknown = sorted(set(rule.channels) - channels)
            if unknown:
                there = ", ".join(sorted(channels)) or "none"
                why = f"the rule {rule.name!r} tells the channel {unknown[0]!r}, which there is "
                why += f"not; there are: {there}"
                broken.append(Broken(rule=rule.name, kind=kind_of(rule), why=why))
        return Book(rules=tuple(rules), site=self._site(read, interests), broken=tuple(broken))

    def _site(self, read: _Read, interests: tuple[Interest, ...]) -> Site:
        cameras = tuple(CameraId(camera.name) for camera in self._config.cameras)
        shapes = {(shape.camera, shape.name): shape for shape in _configured(self._config)}
        for row in read.shapes:
            drawn = Drawn(camera=row.camera, kind=row.kind, name=row.name, points=row.points)
            shapes[row.camera, row.name] = drawn
        linking = self._config.linking
        return Site(
            cameras=cameras,
            shapes=tuple(drawn for drawn in shapes.values() if drawn.camera in cameras),
            wanted=tuple(_wanted(interest, self._model) for interest in interests),
            model=self._model,
            calibration=self._calibration,
            least_s=dict(self._least_s),
            overlapping=frozenset(
                frozenset((CameraId(a), CameraId(b))) for a, b in linking.overlapping
            ),
            skew_s=linking.clock_skew_s,
        )

    def _learn(self, now_us: int) -> bool:
        """Learn the ways between cameras now and then; whether that was done."""
        if self._learned_us is not None and now_us - self._learned_us < _LEARN_EVERY_US:
            return False
        self._learned_us = now_us
        ways = learn_topology(self._database, self._config.linking).ways
        found: dict[tuple[CameraId, CameraId], float] = {}
        for pair, way in ways.items():
            if way.stated_s is not None:
                found[pair] = way.stated_s[0]
            elif len(way.gaps_s) >= _LEAST_TRANSITS and way.gaps_s[0] > 0:
                found[pair] = float(way.gaps_s[0]) * _SHORTEST_SHARE
        is_new = found != self._least_s
        self._least_s = found
        return is_new


def _configured(config: SiteConfig) -> list[Drawn]:
    """Zones and lines of config.yaml."""
    found: list[Drawn] = []
    for camera in config.cameras:
        drawn = [(ShapeKind.ZONE, zone.name, zone.points) for zone in camera.zones]
        drawn += [(ShapeKind.LINE, line.name, line.points) for line in camera.lines]
        found += [
            Drawn(camera=CameraId(camera.name), kind=kind, name=name, points=points)
            for kind, name, points in drawn
        ]
    return found


def _wanted(interest: Interest, model: str) -> Wanted:
    """A person of interest with the looks that the network in use described."""
    described = [each for each in interest.examples if each.vector is not None]
    mine = [each for each in described if each.model == model] or described[:1]
    vectors = [each.vector for each in mine if each.vector is not None]
    return Wanted(
        number=interest.id,
        name=interest.name,
        identity=interest.identity,
        means=means_by_light(np.stack(vectors), [e.modality for e in mine]) if vectors else {},
        model=mine[0].model if mine else None,
        expires_at_us=interest.expires_at_us,
    )
