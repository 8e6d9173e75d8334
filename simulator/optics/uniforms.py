"""The numbers that the renderer's programs are given: clothes, their cuts, and the light."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.figures.materials import Material, cloth_of
from simulator.figures.people import Person
from simulator.figures.wardrobe import Carried, HairStyle, Headwear
from simulator.optics.cameras import View
from simulator.optics.illumination import MOST_LAMPS, Daylight, Illuminator, Light, Warmth
from simulator.optics.thermal import (
    skin_at,
    surface_emissivity,
    surface_warmth,
    through,
    top_insulation,
    warmth_of_materials,
)
from simulator.world.meshes import Vector

Uniform = float | bool | tuple[float, ...] | npt.NDArray[np.float32]

_STRAPS = {Carried.BACKPACK: 1.0, Carried.SHOULDER_BAG: 2.0}
_CAP_EDGE_M = {
    Headwear.CAP: (0.70, 0.745),
    Headwear.BEANIE: (0.675, 0.735),
    Headwear.BRIMMED_HAT: (0.715, 0.735),
}
"""Lower edge of headwear at the back and in front, in the reference pose."""
_HAIR_EDGE_M = {HairStyle.RECEDING: (0.66, 0.80), HairStyle.CROPPED: (0.67, 0.768)}
"""Lower edge of hair at the back and in front."""
_SHADOW_RADIUS_M = 14.0
_SHIRT_INSULATION = 0.03


def set_uniforms(program: Any, **uniforms: Uniform) -> None:
    """Write the uniforms that the program kept; the compiler drops unused ones."""
    for name, value in uniforms.items():
        if name not in program:
            continue
        if isinstance(value, np.ndarray):
            # OpenGL wants matrices column by column, our arrays of vectors as they are.
            data = value.T if name.startswith("to_") else value
            program[name].write(np.ascontiguousarray(data).tobytes())
        else:
            program[name].value = value


def clothes(person: Person) -> dict[str, Uniform]:
    """What a person is made of and how it is cut."""
    cloths = [cloth_of(person.looks.outfit, material) for material in Material]
    first = [(*cloth.colour, cloth.infrared) for cloth in cloths]
    second = [(*cloth.second_colour, cloth.second_infrared) for cloth in cloths]
    pattern = [(float(cloth.pattern), cloth.scale, cloth.seed, cloth.retro) for cloth in cloths]
    outfit = person.looks.outfit
    shirt = outfit.shirt
    return {
        "identity": float(person.identity),
        "cloth": np.array(first, np.float32),
        "second_cloth": np.array(second, np.float32),
        "pattern": np.array(pattern, np.float32),
        "shirt": (*shirt.colour, shirt.infrared),
        "beard": outfit.beard,
        "glasses": outfit.glasses,
        "straps": _STRAPS.get(outfit.carried, 0.0),
        **cuts(person),
    }


def warmths(person: Person, light: Warmth) -> dict[str, Uniform]:
    """How warm a person's skin and clothes are (Celsius)."""
    outfit = person.looks.outfit
    skin = skin_at(light.air_c)
    under = min(_SHIRT_INSULATION, top_insulation(outfit.top_thickness_m))
    return {
        "warmth_of": warmth_of_materials(outfit, light),
        "bare": (skin.face, skin.hands, skin.arms, skin.legs),
        "shirt_warmth": through(skin.covered_trunk, under, light),
    }


def cuts(person: Person) -> dict[str, Uniform]:
    """Where a person's garments end."""
    outfit = person.looks.outfit
    return {
        "sleeve": outfit.sleeve_m,
        "hem": outfit.hem_m,
        "collar": outfit.collar_m,
        "opening": outfit.opening_m,
        "trousers_end": outfit.trousers_end_m,
        "has_skirt": outfit.skirt_end_m is not None,
        "skirt_end": outfit.skirt_end_m if outfit.skirt_end_m is not None else 0.0,
        "shoe_top": outfit.shoe_top_m,
        "has_legwear": outfit.legwear is not None,
        "cap_edge": _CAP_EDGE_M.get(outfit.headwear, (0.70, 0.745)),
        "hair_edge": _HAIR_EDGE_M.get(outfit.hair_style, (0.665, 0.765)),
    }


def lights(view: View, light: Light, to_sun: npt.NDArray[np.float32] | None) -> dict[str, Uniform]:
    """The light on everything.

    Args:
        to_sun: (4, 4) of `sun_matrix`, for daylight.
    """
    if isinstance(light, Daylight) and to_sun is not None:
        return {
            "eye": view.eye,
            "sun_from": unit(light.sun_from),
            "sun": light.sun,
            "sky": light.sky,
            "bounce": light.bounce,
            "to_sun": to_sun,
            "shadow_spread": light.softness_m / (2 * _SHADOW_RADIUS_M),
            "lamp": light.lamp,
            "n_lamps": len(light.lamps),
            "lamps": _padded(light.lamps),
        }
    if isinstance(light, Warmth):
        return {
            "eye": view.eye,
            "air": light.air_c,
            "sky_warmth": light.sky_c,
            "stored": light.stored,
            "surface_warmth": surface_warmth(light),
            "surface_emissivity": surface_emissivity(),
        }
    if isinstance(light, Illuminator):
        x, y, z = view.eye
        right, ahead, up = (float(value) for value in view.direction)
        return {
            "eye": view.eye,
            "lamp": (x, y, z + light.offset_m),
            "lamp_direction": (right, ahead, up),
            "lamp_power": light.power,
            "lamp_ambient": light.ambient,
        }
    raise TypeError(
        "light: expected a Daylight with its shadows, an Illuminator or a Warmth, "
        f"got {type(light).__name__}"
    )


def _padded(lamps: tuple[Vector, ...]) -> npt.NDArray[np.float32]:
    """(MOST_LAMPS, 3) float32."""
    rows = np.zeros((MOST_LAMPS, 3), np.float32)
    rows[: len(lamps)] = np.array(lamps, np.float32).reshape(-1, 3)
    return rows


def unit(vector: Vector) -> Vector:
    """`vector` at length 1."""
    x, y, z = (float(value) for value in np.array(vector) / np.linalg.norm(vector))
    return x, y, z


def sun_matrix(
    sun_from: Vector, view: View, *, radius_m: float = _SHADOW_RADIUS_M, distance_m: float = 30.0
) -> npt.NDArray[np.float32]:
    """(4, 4) float32 orthographic view from the sun on the ground before the camera."""
    sun = np.array(unit(sun_from))
    right = np.cross(-sun, [0.0, 0, 1])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(right, -sun), sun])
    middle = np.array([view.target[0], view.target[1], 0.0])
    to_sun = np.eye(4)
    to_sun[:3, :3] = rotation
    to_sun[:3, 3] = -rotation @ (middle + sun * distance_m)
    scale = np.diag([1 / radius_m, 1 / radius_m, -1 / distance_m, 1])
    scale[2, 3] = -1.0
    return (scale @ to_sun).astype(np.float32)
