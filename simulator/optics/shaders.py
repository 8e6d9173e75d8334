"""The renderer's GLSL: one program text per thing drawn, in each band of light."""

from __future__ import annotations

from simulator.figures.body import BodyPart
from simulator.optics.bands import Band
from simulator.optics.light_glsl import LIGHT, NOISE
from simulator.optics.person_glsl import PERSON_SHADE, PERSON_TRIM
from simulator.optics.place_glsl import PLACE_SHADE
from simulator.optics.thermal_glsl import PERSON_WARMTH, PLACE_WARMTH

PERSON_VERTEX = """#version 330
in vec3 position; in vec3 normal; in vec3 reference; in vec4 part_material;
uniform mat4 to_clip;
out vec3 world; out vec3 world_normal; out vec3 ref; out vec3 part; flat out int material;
void main() {
  world = position; world_normal = normal; ref = reference;
  part = part_material.xyz; material = int(part_material.w + .5);
  gl_Position = to_clip * vec4(position, 1);
}"""

PLACE_VERTEX = """#version 330
in vec3 position; in vec3 normal; in vec4 paint; in float surface;
uniform mat4 to_clip;
out vec3 world; out vec3 world_normal; out vec4 base; flat out int kind;
void main() {
  world = position; world_normal = normal; base = paint; kind = int(surface + .5);
  gl_Position = to_clip * vec4(position, 1);
}"""

SHADOW_VERTEX = """#version 330
in vec3 position; uniform mat4 to_clip;
void main() { gl_Position = to_clip * vec4(position, 1); }"""

SHADOW_FRAGMENT = "#version 330\nvoid main() {}"

_PERSON_INPUT = """#version 330
in vec3 world; in vec3 world_normal; in vec3 ref; in vec3 part; flat in int material;
float retro = 0.;
"""

_PLACE_INPUT = """#version 330
in vec3 world; in vec3 world_normal; in vec4 base; flat in int kind;
float retro = 0.;
"""

SILHOUETTE_FRAGMENT = (
    _PERSON_INPUT
    + "layout(location=0) out float covered;"
    + PERSON_TRIM
    + "void main() { if (is_trimmed()) discard; covered = 1.; }"
)

PARTS_FOR_SHADER = (BodyPart.ARM, BodyPart.HEAD, BodyPart.HAND)
"""The shares that `part` of the person's shader holds, in this order."""


def person_fragment(band: Band) -> str:
    """Fragment shader of people."""
    warmth = PERSON_WARMTH if band is Band.THERMAL else ""
    return _PERSON_INPUT + NOISE + LIGHT[band] + PERSON_TRIM + PERSON_SHADE + warmth


def place_fragment(band: Band) -> str:
    """Fragment shader of places."""
    warmth = PLACE_WARMTH if band is Band.THERMAL else ""
    return _PLACE_INPUT + NOISE + LIGHT[band] + PLACE_SHADE + warmth
