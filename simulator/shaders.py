"""The renderer's GLSL: one program text per thing drawn, in visible or infrared light."""

from __future__ import annotations

from simulator.body import BodyPart
from simulator.garments import Material
from streams.types import Modality

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

_NOISE = """
float hash(vec3 p) {
  p = fract(p * .3183099 + .1) * 17.;
  return fract(p.x * p.y * p.z * (p.x + p.y + p.z));
}
float noise(vec3 x) {
  vec3 i = floor(x), f = fract(x); f = f * f * (3. - 2. * f);
  vec2 e = vec2(0, 1);
  return mix(
    mix(mix(hash(i), hash(i + e.yxx), f.x), mix(hash(i + e.xyx), hash(i + e.yyx), f.x), f.y),
    mix(mix(hash(i + e.xxy), hash(i + e.yxy), f.x), mix(hash(i + e.xyy), hash(i + e.yyy), f.x),
        f.y), f.z);
}
float fractal(vec3 p) { return .5 * noise(p) + .3 * noise(p * 2.1) + .2 * noise(p * 4.3); }
"""

_LIGHT = {
    Modality.VISIBLE: """
layout(location=0) out vec4 picture; layout(location=1) out float identity_out;
uniform vec3 eye, sun_from, sun, sky, bounce; uniform mat4 to_sun;
uniform sampler2DShadow shadow_map;
float sunlit(vec3 point) {
  vec4 q = to_sun * vec4(point, 1); vec3 c = q.xyz / q.w * .5 + .5;
  if (any(lessThan(c, vec3(0))) || any(greaterThan(c, vec3(1)))) return 1.;
  float lit = 0.;
  for (int i = -1; i <= 1; i++) for (int j = -1; j <= 1; j++)
    lit += texture(shadow_map, vec3(c.xy + vec2(i, j) / 2048., c.z - .0004));
  return lit / 9.;
}
void light(vec4 albedo, vec3 n, vec3 flat_normal, float open, float gloss, float sharp) {
  vec3 to_eye = normalize(eye - world);
  float shadow = sunlit(world + flat_normal * .02);
  vec3 ambient = mix(bounce, sky, .5 + .5 * n.z);
  float shine = pow(max(dot(n, normalize(to_eye + sun_from)), 0.), sharp) * gloss;
  picture = vec4(albedo.rgb * (sun * max(dot(n, sun_from), 0.) * shadow + ambient * open)
                 + shine * sun * shadow, 1);
}
""",
    Modality.INFRARED: """
layout(location=0) out vec4 picture; layout(location=1) out float identity_out;
uniform vec3 eye, lamp, lamp_direction; uniform float lamp_power, lamp_ambient;
void light(vec4 albedo, vec3 n, vec3 flat_normal, float open, float gloss, float sharp) {
  vec3 to_lamp = lamp - world; float d2 = dot(to_lamp, to_lamp); to_lamp *= inversesqrt(d2);
  float beam = lamp_power * smoothstep(.55, .98, dot(-to_lamp, lamp_direction)) / d2;
  float facing = max(dot(n, to_lamp), 0.);
  float grey = albedo.a * open * (beam * (facing * .85 + .15) + lamp_ambient)
             + gloss * .3 * pow(facing, 24.) * beam;
  picture = vec4(vec3(grey), 1);
}
""",
}

_PERSON_TRIM = f"""
const int SKIN = {Material.SKIN:d}, TOP = {Material.TOP:d}, BOTTOM = {Material.BOTTOM:d};
const int SHOES = {Material.SHOES:d}, HAIR = {Material.HAIR:d}, CAP = {Material.CAP:d};
const int LOCKS = {Material.LOCKS:d};
uniform float sleeve, hem, collar, opening, trousers_end, skirt_end; uniform bool has_skirt;
bool is_trimmed() {{
  float arm = part.x, head = part.y, hand = part.z, side = abs(ref.x), z = ref.z;
  bool is_arm = arm > .5;
  if (material == TOP) {{
    if (is_arm || hand > .4) return side > sleeve || (hand > .5 && sleeve < .45);
    return z < hem || z > collar + .02 * step(0., ref.y);
  }}
  if (material == BOTTOM) return z < (has_skirt ? skirt_end : trousers_end) || z > .12;
  if (material == SHOES) return z > -.735;
  if (material == HAIR || material == CAP) {{
    float front = 1. - smoothstep(-.105, -.05, ref.y);
    return z < (material == CAP ? mix(.70, .745, front) : mix(.665, .765, front));
  }}
  if (material == LOCKS) return z > .56 && ref.y < -.04;
  if (material != SKIN) return false;
  if (is_arm) return side < sleeve - .02;
  if (hand < .3 && head < .5 && z < collar - .03 && z > max(hem, -.05)) return true;
  float covered = has_skirt ? max(skirt_end + .06, -.1) : trousers_end + .03;
  if (hand < .3 && head < .3 && z < .1 && z > covered) return true;
  return z < -.745 && hand < .1;
}}
"""

_PERSON_SHADE = """
uniform float identity; uniform vec4 cloth[8], second_cloth[8], pattern[8], shirt;
float second_share(vec4 p) {
  int kind = int(p.x + .5); float scale = p.y, seed = p.z; bool front = ref.y < 0.;
  if (kind == 1) return step(.5, fract(ref.z * 14. * scale));
  if (kind == 2) return step(.6, fract(ref.x * 16. * scale));
  if (kind == 3)
    return .5 * step(.5, fract(ref.x * 12. * scale)) + .5 * step(.5, fract(ref.z * 12. * scale));
  if (kind == 4) return step(.32 + .1 * sin(seed), ref.z);
  if (kind == 5) {
    vec2 q = vec2(ref.x - .05 * sin(seed * 3.), ref.z - .34); float w = .05 + .05 * fract(seed);
    bool inside = abs(q.x) < w && abs(q.y) < w * .8 && (front || fract(seed * 7.) > .6);
    return inside ? step(.35, noise(vec3(q * 60., seed))) : 0.;
  }
  if (kind == 6) return smoothstep(.35, .65, fractal((ref + seed) * vec3(60, 60, 14)));
  if (kind == 7) return smoothstep(.45, .55, fractal((ref + seed) * 9. * scale));
  if (kind == 8) return step(abs(ref.y + .01), .018);
  if (kind == 9) return step(ref.z, -.80) + step(.5, fract(ref.z * 9.)) * .3;
  return 0.;
}
vec4 with_face(vec4 c) {
  float side = abs(ref.x);
  vec2 e = vec2(side - .031, ref.z - .697) * vec2(1., 1.8);
  if (ref.y < -.08 && dot(e, e) < .00016) return vec4(c.rgb * .25, c.a * .35);
  if (ref.y < -.09 && abs(ref.z - .716) < .005 && abs(side - .033) < .02)
    return vec4(c.rgb * .35, c.a * .5);
  if (ref.y < -.11 && abs(ref.z - .635) < .007 && side < .022)
    return vec4(c.rgb * vec3(.85, .55, .55), c.a * .9);
  return c;
}
void main() {
  if (is_trimmed()) discard;
  vec3 flat_normal = normalize(world_normal), n = flat_normal;
  if (dot(n, eye - world) < 0.) n = -n;
  vec4 c = mix(cloth[material], second_cloth[material],
               clamp(second_share(pattern[material]), 0., 1.));
  bool in_opening = abs(ref.x) < opening * (1. + .6 * smoothstep(.1, .5, ref.z));
  if (material == TOP && opening > 0. && ref.y < 0. && part.x < .5 && in_opening) c = shirt;
  if (material == SKIN && part.y > .5) c = with_face(c);
  float open = 1.;
  if (material == TOP || material == BOTTOM) {
    vec3 q = ref * vec3(9, 9, 13) + pattern[material].z; float e = .08, fold = fractal(q);
    vec3 slope = vec3(fractal(q + vec3(e, 0, 0)), fractal(q + vec3(0, e, 0)),
                      fractal(q + vec3(0, 0, e))) - fold;
    n = normalize(n - .28 * slope / e); open = .8 + .35 * fold;
  }
  if (material == HAIR || material == LOCKS) open = .55 + .8 * fractal(ref * vec3(90, 90, 16));
  open *= mix(.55, 1., smoothstep(0., .5, world.z));
  bool smooth_thing = material == SHOES || material == CAP;
  float gloss = material == SKIN ? .07 : material == HAIR || material == LOCKS ? .10 : .025;
  light(c, n, flat_normal, open, gloss, smooth_thing ? 40. : 18.);
  identity_out = identity;
}"""

_PLACE_SHADE = """
void main() {
  vec3 n = normalize(world_normal), flat_normal = n; vec3 c = base.rgb; float ir = base.a;
  float along = abs(n.x) > .5 ? world.y : world.x, gloss = 0.;
  float stain = .75 + .5 * fractal(world * 3.);
  if (kind == 1) {
    vec2 q = world.xy / .6, g = abs(fract(q) - .5); float joint = step(.488, max(g.x, g.y));
    c *= (.85 + .25 * hash(vec3(floor(q), 1.))) * stain * (1. - .45 * joint);
    ir *= stain * (1. - .4 * joint);
  } else if (kind == 2) {
    float grain = (.7 + .6 * noise(world * 60.)) * (.7 + .5 * fractal(world * .9));
    c *= grain; ir *= .5 + .5 * grain;
  } else if (kind == 3) {
    vec2 q = vec2(along / .5, world.z / .16); q.x += .5 * mod(floor(q.y), 2.);
    vec2 f = abs(fract(q) - .5); float joint = min(step(.46, f.x) + step(.43, f.y), 1.);
    c = mix(c * (.8 + .4 * hash(vec3(floor(q), 3.))), vec3(.5, .48, .45), joint * .6);
    ir *= .85 + .3 * hash(vec3(floor(q), 2.));
  } else if (kind == 4) {
    vec2 q = vec2(along / 2.6, world.z / 2.7), f = fract(q);
    c *= .9 + .15 * stain;
    if (f.x > .22 && f.x < .74 && f.y > .35 && f.y < .86) {
      c = vec3(.05, .07, .09) * (.7 + .8 * hash(vec3(floor(q), 5.))); ir = .06; gloss = .1;
    }
  } else if (kind == 5) {
    float leaf = fractal(world * 7.); c *= .3 + 1.5 * leaf; ir *= .5 + leaf;
    n = normalize(n + 1.2 * vec3(leaf - .5, noise(world * 11.) - .5, noise(world * 13.) - .5));
  } else if (kind == 6) {
    c *= .4 + 1.2 * fractal(world * vec3(9, 9, 1)); ir *= .6 + .8 * fractal(world * 9.);
  } else if (kind == 7) {
    float rib = sin(along * 30.); n = normalize(n + .35 * rib * vec3(n.y, n.x, 0));
    c *= .85 + .12 * rib; ir *= .85 + .12 * rib;
  } else if (kind == 8) {
    vec2 q = world.xy / .5, g = abs(fract(q) - .5); float joint = step(.485, max(g.x, g.y));
    float shade = .9 + .15 * hash(vec3(floor(q), 1.));
    c *= shade * (1. - .3 * joint); ir *= shade * (1. - .3 * joint); gloss = .12;
  } else if (kind == 9) {
    float shade = .92 + .14 * fractal(world * 2.); c *= shade; ir *= shade;
    if (world.z < .12) { c *= .5; ir *= .5; }
  }
  light(vec4(c, ir), n, flat_normal, 1., gloss, 12.);
  identity_out = 0.;
}"""

_PERSON_INPUT = """#version 330
in vec3 world; in vec3 world_normal; in vec3 ref; in vec3 part; flat in int material;
"""

_PLACE_INPUT = """#version 330
in vec3 world; in vec3 world_normal; in vec4 base; flat in int kind;
"""

SILHOUETTE_FRAGMENT = (
    _PERSON_INPUT
    + "layout(location=0) out float covered;"
    + _PERSON_TRIM
    + "void main() { if (is_trimmed()) discard; covered = 1.; }"
)

PARTS_FOR_SHADER = (BodyPart.ARM, BodyPart.HEAD, BodyPart.HAND)
"""The shares that `part` of the person's shader holds, in this order."""


def person_fragment(modality: Modality) -> str:
    """Fragment shader of people."""
    return _PERSON_INPUT + _NOISE + _LIGHT[modality] + _PERSON_TRIM + _PERSON_SHADE


def place_fragment(modality: Modality) -> str:
    """Fragment shader of places."""
    return _PLACE_INPUT + _NOISE + _LIGHT[modality] + _PLACE_SHADE
