"""Second thoughts: the last hours, clustered anew, and the decisions that change by it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pipeline.linking.config import LinkingConfig
from pipeline.linking.evidence import Calibrated
from pipeline.linking.refine.cluster import Scene, cluster, scene_of
from pipeline.linking.refine.constraints import apart, groups
from pipeline.linking.refine.evidence import Reading, sums_of
from pipeline.linking.refine.plan import Standing, plan
from pipeline.linking.refine.views import View, views_of
from pipeline.linking.refine.words import grounds, reason
from pipeline.linking.topology import Transits
from storage.refinement import Rethought, Revisit, Revisited, Said
from storage.types import Decision, IdentityId, NewLink


def refine(
    found: Revisit,
    said: Sequence[Said],
    *,
    calibration: Calibrated,
    config: LinkingConfig,
    transits: Transits | None = None,
) -> list[list[Rethought]]:
    """Decisions that no longer hold, in batches to be written one transaction each.

    Pure: the same visits give the same answer, whatever their order; applied and asked again, it
    has nothing to say.
    """
    views = views_of(found, said)
    if not views:
        return []
    scene = scene_of(
        views,
        groups(views, said),
        sums_of(views, calibration),
        apart(views, said, config),
        returning=config.returning,
        reading=Reading(calibration),
        transits=transits,
    )
    standing = plan(scene, cluster(scene), link_at=config.links_from)
    batches: defaultdict[tuple[int, int], list[Rethought]] = defaultdict(list)
    for group, rows in enumerate(scene.members):
        target = standing.identity[group]
        for view in (scene.views[i] for i in rows):
            for part in view.parts:
                if _changes(part, view, target, standing.pinned[group]):
                    link = _link(part, view, group, scene, standing, calibration, config)
                    key = (1, 0) if target is None else (0, target) if target > 0 else (2, target)
                    batches[key].append(
                        Rethought(sighting=part.id, sequence=part.sequence, link=link)
                    )
    return [_founded(batches[key]) if key[0] == 2 else batches[key] for key in sorted(batches)]


def _changes(part: Revisited, view: View, target: int | None, of_pinned: bool) -> bool:
    """Whether a part's newest decision is another one than is due to its view.

    Of people whom operators named, only parts of the very views that they named follow.
    """
    if part.is_settled or view.is_fixed or part.identity == target:
        return False
    return view.is_pinned if of_pinned else True


def _link(
    part: Revisited,
    view: View,
    group: int,
    scene: Scene,
    standing: Standing,
    calibration: Calibrated,
    config: LinkingConfig,
) -> NewLink:
    move = standing.moves.get(group)
    target = standing.identity[group]
    if move is None or move.target != target:
        return _as_its_view(part, view, target, calibration, config)
    nearest = None if move.nearest is None else scene.views[scene.members[move.nearest][0]]
    who = IdentityId(target) if target is not None and target > 0 else None
    rival = _known(move.rival) if move.rival != target else None
    if target is None:  # the candidate of an unsure view is the best that was left
        candidate, probability = rival, move.odds.rival_probability if rival is not None else None
        rival = None
    else:
        candidate, probability = who, move.odds.here
    return NewLink(
        decision=Decision.UNSURE if target is None else Decision.LINK,
        identity=who,
        candidate=candidate,
        probability=None if probability is None else min(max(probability, 0.0), 1.0),
        threshold=config.links_from,
        runner_up=rival,
        runner_up_probability=None if rival is None else min(move.odds.rival_probability, 1.0),
        reason=reason(move, nearest=nearest, was=part.identity),
        calibration=calibration.name,
        grounds=grounds(move, view),
    )


def _as_its_view(
    part: Revisited,
    view: View,
    target: int | None,
    calibration: Calibrated,
    config: LinkingConfig,
) -> NewLink:
    """The decision on a part whose unbroken view shows somebody already."""
    who = IdentityId(target) if target is not None else None
    said = ", as an operator said" if view.is_pinned else ""
    return NewLink(
        decision=Decision.UNSURE if who is None else Decision.LINK,
        identity=who,
        candidate=who,
        probability=None if who is None else 1.0,
        threshold=config.links_from,
        runner_up=None,
        runner_up_probability=None,
        reason=f"second thoughts: part {part.part + 1} of one unbroken view{said}",
        calibration=calibration.name,
    )


def _known(identity: int | None) -> IdentityId | None:
    return IdentityId(identity) if identity is not None and identity > 0 else None


def _founded(batch: Sequence[Rethought]) -> list[Rethought]:
    """A batch whose earliest visit makes the person that the others are linked to."""
    first, *others = batch
    return [
        Rethought(sighting=first.sighting, sequence=first.sequence, link=_new(first.link)),
        *others,
    ]


def _new(link: NewLink) -> NewLink:
    return NewLink(
        decision=Decision.NEW,
        identity=None,
        candidate=None,
        probability=None,
        threshold=link.threshold,
        runner_up=None,
        runner_up_probability=None,
        reason=link.reason,
        calibration=link.calibration,
        grounds=link.grounds,
    )
