"""The six people of the demo footage: told apart by day and, differently, by night."""

from __future__ import annotations

from simulator.figures.body import Figure
from simulator.figures.joints import Gait
from simulator.figures.people import Looks
from simulator.figures.wardrobe import (
    Carried,
    Cloth,
    Colour,
    HairStyle,
    Headwear,
    Outfit,
    Pattern,
    hair,
)

_BLACK: Colour = (0.02, 0.02, 0.022)
_WHITE: Colour = (0.72, 0.72, 0.70)
_LIGHT_SKIN = Cloth(colour=(0.66, 0.43, 0.32), infrared=0.58)
_TAN_SKIN = Cloth(colour=(0.48, 0.29, 0.19), infrared=0.57)
_DARK_SKIN = Cloth(colour=(0.13, 0.07, 0.045), infrared=0.52)


def demo_cast() -> dict[int, Looks]:
    """Looks by identity, 1 to 6."""
    return {
        1: _red_sweater_with_backpack(),
        2: _yellow_coat(),
        3: _striped_blouse_and_skirt(),
        4: _dark_suit(),
        5: _shorts_and_cap(),
        6: _pink_checks(),
    }


def _plain(colour: Colour, infrared: float) -> Cloth:
    return Cloth(colour=colour, infrared=infrared)


def _red_sweater_with_backpack() -> Looks:
    return Looks(
        figure=Figure(
            gender=0.05,
            age=0.68,
            height=0.50,
            weight=0.42,
            muscle=0.6,
            african=0.05,
            asian=0.05,
            caucasian=0.9,
        ),
        gait=Gait(stride=0.98, arm_swing=1.1, lean_deg=3, cycle_s=1.28),
        outfit=Outfit(
            skin=_LIGHT_SKIN,
            hair=hair((0.07, 0.035, 0.018), 0.25),
            top=_plain((0.42, 0.035, 0.03), 0.66),
            bottom=_plain((0.06, 0.11, 0.24), 0.40),
            shoes=Cloth(colour=_WHITE, infrared=0.7, second_colour=_BLACK, pattern=Pattern.SOLE),
            shirt=_plain(_WHITE, 0.7),
            cap=_plain(_BLACK, 0.1),
            bag=_plain(_BLACK, 0.08),
            top_thickness_m=0.02,
            carried=Carried.BACKPACK,
        ),
    )


def _yellow_coat() -> Looks:
    return Looks(
        figure=Figure(
            gender=0.95, age=0.67, height=0.46, weight=0.4, african=0.05, asian=0.8, caucasian=0.15
        ),
        gait=Gait(stride=0.86, arm_swing=0.6, legs_apart_deg=1.5, elbow_deg=18, cycle_s=1.19),
        outfit=Outfit(
            skin=_LIGHT_SKIN,
            hair=hair((0.012, 0.010, 0.009), 0.2),
            top=_plain((0.62, 0.40, 0.06), 0.30),
            bottom=_plain(_BLACK, 0.62),
            shoes=_plain((0.10, 0.05, 0.03), 0.3),
            shirt=_plain(_WHITE, 0.7),
            cap=_plain(_BLACK, 0.1),
            bag=_plain(_BLACK, 0.1),
            hair_style=HairStyle.LONG,
            hem_m=-0.36,
            top_thickness_m=0.028,
        ),
    )


def _striped_blouse_and_skirt() -> Looks:
    return Looks(
        figure=Figure(
            gender=1.0, age=0.74, height=0.34, weight=0.55, african=0.05, asian=0.1, caucasian=0.85
        ),
        gait=Gait(stride=0.8, arm_swing=0.8, arms_apart_deg=8, head_pitch_deg=6, cycle_s=1.14),
        outfit=Outfit(
            skin=_LIGHT_SKIN,
            hair=hair((0.42, 0.28, 0.12), 0.42),
            top=Cloth(
                colour=_WHITE,
                infrared=0.74,
                second_colour=(0.03, 0.04, 0.09),
                second_infrared=0.45,
                pattern=Pattern.STRIPES,
                scale=1.1,
            ),
            bottom=_plain((0.03, 0.20, 0.09), 0.14),
            shoes=_plain((0.25, 0.05, 0.04), 0.5),
            shirt=_plain(_WHITE, 0.7),
            cap=_plain(_BLACK, 0.1),
            bag=_plain(_BLACK, 0.1),
            hair_style=HairStyle.BOB,
            sleeve_m=0.27,
            skirt_end_m=-0.46,
        ),
    )


def _dark_suit() -> Looks:
    return Looks(
        figure=Figure(
            gender=0.0,
            age=0.85,
            height=0.42,
            weight=0.78,
            muscle=0.55,
            african=0.1,
            asian=0.1,
            caucasian=0.8,
        ),
        gait=Gait(stride=0.88, arm_swing=0.6, legs_apart_deg=4, arms_apart_deg=11, cycle_s=1.25),
        outfit=Outfit(
            skin=_TAN_SKIN,
            hair=hair((0.32, 0.32, 0.31), 0.45),
            top=_plain((0.03, 0.035, 0.05), 0.13),
            bottom=_plain((0.17, 0.17, 0.18), 0.24),
            shoes=_plain(_BLACK, 0.1),
            shirt=_plain((0.6, 0.66, 0.75), 0.78),
            cap=_plain(_BLACK, 0.1),
            bag=_plain(_BLACK, 0.1),
            hem_m=-0.09,
            opening_m=0.045,
            top_thickness_m=0.022,
            bottom_thickness_m=0.014,
        ),
    )


def _shorts_and_cap() -> Looks:
    return Looks(
        figure=Figure(
            gender=0.05,
            age=0.65,
            height=0.36,
            weight=0.3,
            muscle=0.72,
            african=0.95,
            asian=0.02,
            caucasian=0.03,
        ),
        gait=Gait(stride=1.0, arm_swing=1.25, elbow_deg=20, lean_deg=0, cycle_s=1.21),
        outfit=Outfit(
            skin=_DARK_SKIN,
            hair=hair((0.010, 0.009, 0.008), 0.2),
            top=Cloth(
                colour=(0.05, 0.32, 0.34),
                infrared=0.42,
                second_colour=_WHITE,
                second_infrared=0.75,
                pattern=Pattern.PRINT,
                seed=11.6,
            ),
            bottom=_plain((0.46, 0.37, 0.24), 0.68),
            shoes=Cloth(colour=_WHITE, infrared=0.75, second_colour=_BLACK, pattern=Pattern.SOLE),
            shirt=_plain(_WHITE, 0.7),
            cap=_plain(_WHITE, 0.8),
            bag=_plain(_BLACK, 0.1),
            headwear=Headwear.CAP,
            sleeve_m=0.26,
            trousers_end_m=-0.42,
            bottom_thickness_m=0.02,
        ),
    )


def _pink_checks() -> Looks:
    return Looks(
        figure=Figure(
            gender=0.9, age=0.66, height=0.42, weight=0.3, african=0.1, asian=0.2, caucasian=0.7
        ),
        gait=Gait(stride=0.94, arm_swing=1.0, legs_apart_deg=2, head_yaw_deg=5, cycle_s=1.21),
        outfit=Outfit(
            skin=_TAN_SKIN,
            hair=hair((0.12, 0.05, 0.02), 0.3),
            top=Cloth(
                colour=(0.55, 0.22, 0.36),
                infrared=0.56,
                second_colour=(0.16, 0.05, 0.22),
                second_infrared=0.16,
                pattern=Pattern.CHECKS,
                scale=0.9,
            ),
            bottom=_plain((0.42, 0.43, 0.45), 0.20),
            shoes=_plain((0.3, 0.3, 0.32), 0.6),
            shirt=_plain(_WHITE, 0.7),
            cap=_plain(_BLACK, 0.1),
            bag=_plain((0.55, 0.22, 0.03), 0.72),
            hair_style=HairStyle.SHORT,
            carried=Carried.BACKPACK,
        ),
    )
