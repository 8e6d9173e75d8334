"""Who people are: the same seed the same looks, near infrared from fibre and dye, groups, coats."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from simulator.figures.closet import random_outfit, random_vest
from simulator.figures.company import BLOCK, Character, changed, character, company
from simulator.figures.gait import random_gait
from simulator.figures.joints import Arms
from simulator.figures.palette import COLOURS
from simulator.figures.people import Looks, random_looks, with_load
from simulator.figures.textiles import (
    Dye,
    Fibre,
    hair_infrared,
    infrared_of,
    random_infrared,
    skin_infrared,
)
from simulator.figures.wardrobe import Carried, HairStyle, Headwear, Outfit

COAT_CUTS = {
    "top",
    "shirt",
    "sleeve_m",
    "hem_m",
    "top_thickness_m",
    "collar_m",
    "opening_m",
    "has_hood",
    "headwear",
}


def wears(outfit: Outfit) -> tuple[object, ...]:
    """What tells an outfit from others at a glance, colours rounded coarsely."""
    kinds = (outfit.hair_style, outfit.headwear, outfit.carried, outfit.has_coat)
    cloths = (outfit.top, outfit.bottom, outfit.shoes)
    looks = tuple((cloth.pattern, *np.round(cloth.colour, 1)) for cloth in cloths)
    return (*kinds, outfit.skirt_end_m is None, *looks)


def differing(one: Outfit, other: Outfit) -> set[str]:
    names = (field.name for field in fields(Outfit))
    return {name for name in names if getattr(one, name) != getattr(other, name)}


def test_the_same_seed_gives_the_same_company_and_another_seed_another() -> None:
    first, again, other = (company(6, seed=seed, changing=0.5) for seed in (4, 4, 5))

    assert first == again
    assert all(one.looks != another.looks for one, another in zip(first, other, strict=True))


def test_a_longer_company_begins_like_a_shorter_one() -> None:
    assert company(9, seed=1, uniformed=0.3)[:5] == company(5, seed=1, uniformed=0.3)


@pytest.fixture(scope="module")
def outfits() -> list[Outfit]:
    """Of 1500 people."""
    return [random_outfit(np.random.default_rng([2, k]), feminine=k % 2 == 0) for k in range(1500)]


def test_fifteen_hundred_people_wear_nearly_as_many_different_things(
    outfits: list[Outfit],
) -> None:
    assert len({wears(outfit) for outfit in outfits}) > 1400


def test_every_kind_of_hat_hair_and_bag_is_worn_by_somebody(outfits: list[Outfit]) -> None:
    assert {outfit.headwear for outfit in outfits} == set(Headwear)
    assert {outfit.hair_style for outfit in outfits} == set(HairStyle)
    assert {outfit.carried for outfit in outfits} == set(Carried)
    assert any(outfit.vest is not None for outfit in outfits)
    assert any(outfit.shoe_top_m > -0.7 for outfit in outfits)
    assert any(outfit.legwear is not None for outfit in outfits)


def test_most_tops_are_muted_and_some_are_strong(outfits: list[Outfit]) -> None:
    tops = [outfit.top.colour for outfit in outfits]
    saturation = np.array([(max(top) - min(top)) / max(top) for top in tops])

    assert 0.45 < np.mean(saturation < 0.35) < 0.85
    assert np.mean(saturation > 0.7) > 0.05


def test_black_cloth_is_anything_from_dark_to_bright_in_near_infrared() -> None:
    rng = np.random.default_rng(0)
    black = COLOURS["black"]

    shown = [random_infrared(black, fibre, rng) for fibre in Fibre for _ in range(200)]

    assert np.percentile(shown, 5) < 0.1
    assert np.percentile(shown, 90) > 0.4


@pytest.mark.parametrize(
    ("dye", "low", "high"),
    [
        pytest.param(Dye.REACTIVE, 0.15, 0.7, id="reactive black turns bright"),
        pytest.param(Dye.SULPHUR, 0.04, 0.25, id="sulphur black stays dark"),
        pytest.param(Dye.CARBON, 0.02, 0.1, id="carbon black stays black"),
    ],
)
def test_the_dye_decides_how_bright_black_cotton_is(dye: Dye, low: float, high: float) -> None:
    rng = np.random.default_rng(1)

    shown = [random_infrared(COLOURS["black"], Fibre.COTTON, rng, dye=dye) for _ in range(300)]

    assert low < np.min(shown)
    assert np.max(shown) < high


def test_a_dye_that_keeps_nothing_shows_the_bare_fibre_and_more_dye_is_never_brighter() -> None:
    navy = COLOURS["navy"]

    shown = [infrared_of(navy, bare=0.7, kept=kept) for kept in (0.0, 0.01, 0.1, 0.5, 1.0)]

    # Four hundredths of the light are thrown back by the surface before they reach the fibre.
    assert shown[0] == pytest.approx(0.04 + 0.96 * 0.7)
    assert shown == sorted(shown, reverse=True)


def test_skins_are_nearly_alike_in_near_infrared_and_black_hair_is_brighter_than_it_looks() -> None:
    rng = np.random.default_rng(5)

    pale, dark = (
        np.mean([skin_infrared(tone, rng) for _ in range(50)])
        for tone in ((0.62, 0.42, 0.33), (0.105, 0.057, 0.036))
    )

    assert 0.5 < dark < pale < 0.62
    assert hair_infrared((0.01, 0.009, 0.009), rng) > 0.05


def test_uniforms_share_the_cloth_but_not_the_bodies() -> None:
    squad = company(40, seed=6, uniformed=1.0, alike=0.0)

    groups = {one.group for one in squad}
    for group in groups:
        members = [one.looks for one in squad if one.group == group]
        assert len({member.outfit.top for member in members}) == 1
        assert len({member.outfit.bottom for member in members}) == 1
        assert len({member.figure for member in members}) == len(members)
    assert len(groups) > 1


def test_look_alikes_wear_nearly_one_colour_and_have_their_own_faces_and_gaits() -> None:
    four = [character(k, seed=12, alike=1.0) for k in range(BLOCK)]

    colours = np.array([one.looks.outfit.top.colour for one in four])
    assert len({one.group for one in four}) == 1
    # Dark coats differ by a tenth of full scale at most, tops of one colour by a few hundredths.
    assert np.ptp(colours, axis=0).max() < 0.12
    assert len({one.looks.gait for one in four}) == BLOCK


def test_without_shares_nobody_belongs_to_a_group_and_nobody_changes() -> None:
    everybody = company(12, seed=3, alike=0.0)

    assert all(one.group is None and one.looks_by_night is None for one in everybody)


def test_shares_that_exceed_the_whole_are_refused() -> None:
    with pytest.raises(ValueError, match=r"uniformed=0\.7, alike=0\.6"):
        company(3, seed=1, uniformed=0.7, alike=0.6)


def test_a_coat_at_night_changes_only_the_coat() -> None:
    changing = company(30, seed=9, changing=1.0)

    for one in changing:
        assert one.looks_by_night is not None
        assert one.looks_by_night.figure == one.looks.figure
        assert one.looks_by_night.gait == one.looks.gait
        difference = differing(one.looks.outfit, one.looks_by_night.outfit)
        assert "top" in difference
        assert difference <= COAT_CUTS


def test_who_puts_a_coat_on_shows_the_old_top_where_it_is_open() -> None:
    looks = random_looks(np.random.default_rng(1))
    light = replace(looks, outfit=replace(looks.outfit, top_thickness_m=0.01))

    warm = changed(light, np.random.default_rng(2))

    assert warm.outfit.shirt == light.outfit.top
    assert warm.outfit.top_thickness_m > 0.02


def test_a_vest_throws_light_back_only_from_its_strips() -> None:
    vest = random_vest(np.random.default_rng(0))

    assert vest.retro == 1.0
    assert vest.infrared > 0.3


def test_the_old_walk_slower_and_bow_more() -> None:
    young, old = (
        [random_gait(np.random.default_rng([k, 1]), age=age) for k in range(80)]
        for age in (0.65, 0.95)
    )

    assert np.mean([gait.stride for gait in old]) < np.mean([gait.stride for gait in young])
    assert np.mean([gait.bow_deg for gait in old]) > np.mean([gait.bow_deg for gait in young]) + 3


def test_a_hand_with_a_bag_swings_less_and_straps_need_a_backpack() -> None:
    looks = random_looks(np.random.default_rng(4))
    holding = replace(looks.gait, arms=Arms.STRAPS)

    carrying = with_load(holding, replace(looks.outfit, carried=Carried.CARRIER_BAG))
    packed = with_load(holding, replace(looks.outfit, carried=Carried.BACKPACK))

    assert carrying.loaded < 0.5
    assert carrying.arms is Arms.SWING
    assert packed.arms is Arms.STRAPS


def test_a_character_is_a_value() -> None:
    looks: Looks = random_looks(np.random.default_rng(0))

    assert Character(looks=looks) == Character(looks=looks)
