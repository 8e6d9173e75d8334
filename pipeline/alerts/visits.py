"""One alert per visit and rule: findings of one person, over all cameras, become one alert.

A finding is never dropped. Either it raises an alert, or it extends one:

* of the same occurrence;
* of the same person, or the same view, within `group_s`;
* of an alert whose person was seen less than `cooldown_s` ago, as long as nobody knows whether it
  is the same one. When it turns out to be another person, theirs is raised after all.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pipeline.alerts.settings import US, RuleSettings, kind_of
from pipeline.alerts.types import Finding, Ground, Visit
from pipeline.types import TrackKey
from storage.desk.alerts import NewAlert
from storage.types import IdentityId
from streams.types import CameraId

_REMEMBERED_TRACKS = 4096
_MOST_GROUPS = 512
"""Of one rule that are still open; the oldest are closed."""
_MOST_EPISODES = 64
"""Of one alert; of those before, an end is not awaited any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert that was raised, or (the same key again) that went on.

    Attributes:
        rule: The settings of the rule that raised it.
        is_new: Whether it is raised now; else it is extended.
        at_us: When that was found.
    """

    alert: NewAlert
    rule: RuleSettings
    is_new: bool
    at_us: int


@dataclass(slots=True)
class _View:
    """What is known of one unbroken view."""

    identity: IdentityId | None = None
    picture: str | None = None
    sightings: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Group:
    """One alert that may still be extended.

    Attributes:
        first: The finding that raised it.
        sure_us: When its person was surely found last.
        guests: Findings of views of which nobody knows whether they are the same person's.
    """

    key: str
    rule: RuleSettings
    first: Finding
    identity: IdentityId | None
    probability: float | None
    last_us: int
    sure_us: int
    episodes: dict[str, int | None]
    tracks: set[TrackKey] = field(default_factory=set)
    cameras: dict[CameraId, None] = field(default_factory=dict)
    sightings: dict[str, None] = field(default_factory=dict)
    guests: dict[TrackKey, list[Finding]] = field(default_factory=dict)


class Visits:
    """Owns the open alerts of all rules. Pure; used by one thread.

    Args:
        group_s: The same person within so many seconds is the same visit.
        cooldown_s: See above.
    """

    def __init__(self, *, group_s: float, cooldown_s: float) -> None:
        self._group_s = group_s
        self._cooldown_s = cooldown_s
        self._groups: dict[str, list[_Group]] = {}
        self._views: OrderedDict[TrackKey, _View] = OrderedDict()

    def found(self, finding: Finding, rule: RuleSettings) -> list[Told]:
        """What a finding raises or extends; one of them at least."""
        groups = self._open(rule, finding.at_us)
        who = self._identity_of(finding)
        group = _same_occurrence(groups, finding)
        if group is None:
            group = self._same_visit(groups, finding, who, rule)
        if group is None:
            return [self._raise(finding, rule, who)]
        if finding.track not in group.guests:
            _welcome(group, [finding])
        return [_extend(group, finding)]

    def visited(self, visit: Visit) -> list[Told]:
        """What learning who is in a view changes: alerts get their visits and persons."""
        self._remember(visit)
        changed: list[Told] = []
        for groups in list(self._groups.values()):
            for group in list(groups):
                if visit.track in group.tracks:
                    changed += self._tell(group, visit)
        return changed

    def _tell(self, group: _Group, visit: Visit) -> Iterator[Told]:
        """A view that belongs to an alert was recorded."""
        if visit.identity is not None and group.first.track == visit.track:
            group.identity = visit.identity
            if group.first.probability is None:
                group.probability = visit.probability
        yield from self._part_strangers(group)
        if visit.track not in group.tracks:
            return
        if visit.sighting not in group.sightings:
            group.sightings[visit.sighting] = None
            yield _told(group, visit.last_seen_us, is_new=False)

    def _part_strangers(self, group: _Group) -> Iterator[Told]:
        """No alert is about two people who are known: others get their own.

        While nobody knows whose alert it is, the first guest who is known may be that one.
        """
        known = ((track, self._who(track)) for track in list(group.guests))
        person = group.identity
        for track, who in known:
            person = who if person is None else person
            if who is None or (who == person and group.identity is None):
                continue
            if who == group.identity:
                _welcome(group, group.guests.pop(track))
            else:
                yield from self._part(group, track, who)

    def _part(self, group: _Group, track: TrackKey, who: IdentityId) -> Iterator[Told]:
        """The findings of a guest, who is somebody else, raise or extend that person's alert."""
        group.tracks.discard(track)
        view = self._views[track]
        for found in group.guests.pop(track):
            finding = replace(found, picture=found.picture or view.picture)
            group.episodes.pop(finding.episode, None)
            groups = self._groups[group.rule.name]
            other = _same_occurrence(groups, finding) or self._same_person(groups, finding, who)
            if other is None:
                yield self._raise(finding, group.rule, who)
            else:
                _welcome(other, [finding])
                yield _extend(other, finding)

    def forget(self, rule: str) -> None:
        """A rule is gone, or another now: nothing extends its alerts any more."""
        self._groups.pop(rule, None)

    def _open(self, rule: RuleSettings, now_us: int) -> list[_Group]:
        """Alerts of the rule that a finding may extend, oldest first."""
        keep_us = int(max(self._group_of(rule), self._cooldown_of(rule)) * US)
        groups = [
            group
            for group in self._groups.get(rule.name, [])
            if now_us - group.last_us <= keep_us or None in group.episodes.values()
        ]
        self._groups[rule.name] = groups[-_MOST_GROUPS:]
        return self._groups[rule.name]

    def _same_visit(
        self,
        groups: list[_Group],
        finding: Finding,
        who: IdentityId | None,
        rule: RuleSettings,
    ) -> _Group | None:
        if finding.track is None:
            pause_us = int(self._cooldown_of(rule) * US)
            return next(
                (
                    group
                    for group in reversed(groups)
                    if group.first.subject == finding.subject
                    and finding.began_us - group.last_us <= pause_us
                ),
                None,
            )
        same = self._same_person(groups, finding, who)
        return same or self._perhaps_same(groups, finding, who, rule)

    def _same_person(
        self, groups: list[_Group], finding: Finding, who: IdentityId | None
    ) -> _Group | None:
        for group in reversed(groups):
            if finding.subject != group.first.subject:
                continue
            pause_us = int(self._group_of(group.rule) * US)
            if finding.began_us - group.last_us > pause_us:
                continue
            is_same_view = finding.track in group.tracks and finding.track not in group.guests
            if is_same_view or (who is not None and group.identity == who):
                return group
        return None

    def _perhaps_same(
        self,
        groups: list[_Group],
        finding: Finding,
        who: IdentityId | None,
        rule: RuleSettings,
    ) -> _Group | None:
        """The newest alert, while it cools down and nobody knows that this is somebody else."""
        alike = [group for group in groups if group.first.subject == finding.subject]
        if not alike or finding.track is None:
            return None
        group = alike[-1]
        is_cooling = finding.at_us - group.sure_us < self._cooldown_of(rule) * US
        is_another = who is not None and group.identity is not None
        if not is_cooling or is_another:
            return None
        group.guests.setdefault(finding.track, []).append(finding)
        return group

    def _raise(self, finding: Finding, rule: RuleSettings, who: IdentityId | None) -> Told:
        group = _Group(
            key=f"{rule.name}/{finding.episode}",
            rule=rule,
            first=finding,
            identity=who,
            probability=finding.probability,
            last_us=finding.at_us,
            sure_us=finding.at_us,
            episodes={},
        )
        if finding.track is not None:
            view = self._views.get(finding.track)
            group.sightings |= {} if view is None else view.sightings
        self._groups.setdefault(rule.name, []).append(group)
        return _extend(group, finding, is_new=True)

    def _identity_of(self, finding: Finding) -> IdentityId | None:
        if finding.identity is not None or finding.track is None:
            return finding.identity
        return self._who(finding.track)

    def _who(self, track: TrackKey) -> IdentityId | None:
        view = self._views.get(track)
        return None if view is None else view.identity

    def _remember(self, visit: Visit) -> None:
        view = self._views.setdefault(visit.track, _View())
        self._views.move_to_end(visit.track)
        if len(self._views) > _REMEMBERED_TRACKS:
            self._views.popitem(last=False)
        view.identity = visit.identity or view.identity
        view.sightings[visit.sighting] = None
        if view.picture is None and visit.evidence:
            view.picture = visit.evidence[0]

    def _group_of(self, rule: RuleSettings) -> float:
        return self._group_s if rule.group_s is None else rule.group_s

    def _cooldown_of(self, rule: RuleSettings) -> float:
        return self._cooldown_s if rule.cooldown_s is None else rule.cooldown_s


def _same_occurrence(groups: list[_Group], finding: Finding) -> _Group | None:
    return next((group for group in groups if finding.episode in group.episodes), None)


def _welcome(group: _Group, findings: list[Finding]) -> None:
    """These are surely of the alert's person."""
    group.sure_us = max(group.sure_us, *(finding.at_us for finding in findings))


def _extend(group: _Group, finding: Finding, *, is_new: bool = False) -> Told:
    group.episodes[finding.episode] = finding.ended_us
    group.last_us = max(group.last_us, finding.at_us)
    if finding.track is not None:
        group.tracks.add(finding.track)
    group.cameras |= dict.fromkeys(finding.cameras)
    group.sightings |= dict.fromkeys(finding.sightings)
    if len(group.episodes) > _MOST_EPISODES:
        _forget_oldest(group.episodes)
    return _told(group, finding.at_us, is_new=is_new)


def _forget_oldest(episodes: dict[str, int | None]) -> None:
    """The oldest that is over."""
    over = next((name for name, ended_us in episodes.items() if ended_us is not None), None)
    if over is not None:
        del episodes[over]


def _told(group: _Group, at_us: int, *, is_new: bool) -> Told:
    first = group.first
    ends = [end for end in group.episodes.values() if end is not None]
    lasts = len(ends) < len(group.episodes)
    grounds: dict[str, Ground] = dict(first.grounds)
    if len(group.tracks) > 1:
        grounds["n_views"] = len(group.tracks)
    alert = NewAlert(
        key=group.key,
        rule=group.rule.name,
        kind=kind_of(group.rule),
        severity=group.rule.severity,
        began_us=first.began_us,
        ended_us=None if lasts else max(ends, default=first.began_us),
        sentence=first.sentence,
        grounds=grounds,
        cameras=tuple(group.cameras),
        sightings=tuple(group.sightings),
        identity=group.identity,
        candidate=first.candidate,
        probability=group.probability,
        picture=first.picture,
        picture_camera=first.cameras[-1] if first.picture is not None else None,
    )
    return Told(alert=alert, rule=group.rule, is_new=is_new, at_us=at_us)
