"""GLSL of warmth: how temperature varies over people and places, and what a thermal lens sees.

Temperatures are Celsius; the picture holds the apparent temperature less that of the air, which
half floats resolve to a hundredth of a kelvin.
"""

from __future__ import annotations

from simulator.figures.materials import Material
from simulator.optics.thermal import CLOTH_EMISSIVITY, SKIN_EMISSIVITY
from simulator.world.meshes import Surface

THERMAL_LIGHT = """
layout(location=0) out vec4 picture; layout(location=1) out float identity_out;
uniform vec3 eye; uniform float air, sky_warmth, stored;
float warmth(vec4 albedo, vec3 n); float emissivity();
// Radiance in 8 to 14 um goes with the 4.57th power of kelvin near 300 K (Planck at 10.5 um).
float radiance(float celsius) { return pow((celsius + 273.15) / 300., 4.57); }
float celsius(float radiance) { return pow(radiance, 1. / 4.57) * 300. - 273.15; }
void light(vec4 albedo, vec3 n, vec3 flat_normal, float open, float gloss, float sharp) {
  vec3 to_eye = normalize(eye - world);
  float emits = emissivity() * (1. - .35 * pow(1. - max(dot(flat_normal, to_eye), 0.), 5.));
  float mirrored = mix(air, sky_warmth, smoothstep(-.1, .7, reflect(-to_eye, flat_normal).z));
  float seen = mix(radiance(mirrored), radiance(warmth(albedo, n)), emits);
  picture = vec4(vec3(celsius(seen) - air), 1);
}
"""

PERSON_WARMTH = (
    f"""
uniform float warmth_of[{len(Material)}], shirt_warmth; uniform vec4 bare;
float emissivity() {{ return material == SKIN ? {SKIN_EMISSIVITY} : {CLOTH_EMISSIVITY}; }}
"""
    + """
// `bare`: face, hands, arms, legs. Ears, nose and cheeks are colder, the corners of the eyes and
// the neck warmer; glasses are opaque here and nearly as cold as the air.
float face_warmth() {
  float side = abs(ref.x), z = ref.z, over = bare.x - air, t = bare.x;
  if (ref.y > -.03) return t - .05 * over;
  t -= over * .20 * smoothstep(.022, .008, side) * smoothstep(.025, .01, abs(z - .665))
     * step(ref.y, -.11);
  t -= over * .07 * smoothstep(.02, .045, side) * smoothstep(.03, .015, abs(z - .66));
  t += over * .04 * smoothstep(.014, .005, length(vec2(side - .016, z - .697)));
  float low = .644 + .05 * smoothstep(.046, .07, side);
  t -= over * .30 * beard * smoothstep(low + .012, low - .006, z) * step(.575, z);
  vec2 g = vec2(side - .033, z - .695) / vec2(.026, .017);
  if (glasses > 0. && ref.y < -.055 && dot(g, g) < 1.1) t = air + .3 * over;
  return t;
}
float warmth(vec4 albedo, vec3 n) {
  float arm = part.x, head = part.y, hand = part.z, side = abs(ref.x), z = ref.z;
  float t = warmth_of[material];
  if (material == SKIN) {
    float trunk = mix(bare.z, t, .6);
    if (head > .5) return face_warmth();
    if (hand > .5) return mix(bare.y, air, .12 * smoothstep(.52, .62, side));
    if (arm > .5) return mix(bare.z, bare.y, smoothstep(.30, .46, side));
    return z < .1 ? mix(bare.w, bare.w - .12 * (bare.w - air), smoothstep(-.4, -.7, z)) : trunk;
  }
  float lies = .66 + .68 * fractal(ref * vec3(8, 8, 6) + pattern[material].z);
  if (material == TOP || material == VEST || material == HOOD) {
    bool in_opening = abs(ref.x) < opening * (1. + .6 * smoothstep(.1, .5, z));
    if (material == TOP && opening > 0. && ref.y < 0. && arm < .5 && in_opening) t = shirt_warmth;
    if (on_strap() > .5 && material != HOOD) return warmth_of[STRAP];
    lies *= arm > .5 ? mix(.95, .72, smoothstep(.2, .42, side))
                     : mix(.8, 1., smoothstep(-.05, .2, z)) + .3 * smoothstep(.42, .52, z);
    if (int(pattern[material].x + .5) == 11) lies *= .9 + .5 * second_share(pattern[material]);
    lies *= 1. + .35 * smoothstep(.03, .0, abs(side - .15)) * smoothstep(.06, .0, abs(z - .38));
  } else if (material == BOTTOM) {
    lies *= mix(.78, 1.08, smoothstep(-.62, -.2, z));
    lies *= 1. + .15 * smoothstep(.08, .02, side) * smoothstep(-.35, -.1, z);
    if (has_skirt) lies *= .75;
  } else if (material == SHOES) {
    lies = mix(.55, 1.25, smoothstep(-.83, shoe_top, z));
  } else if (material == HAIR || material == LOCKS) {
    lies = material == LOCKS ? mix(.45, 1.1, smoothstep(.4, .66, z))
                             : .85 + .3 * fractal(ref * vec3(40, 40, 12));
  }
  return min(air + (t - air) * lies, bare.x);
}
"""
)

PLACE_WARMTH = (
    f"""
uniform float surface_warmth[{max(Surface) + 1}], surface_emissivity[{max(Surface) + 1}];
const int FACADE = {Surface.FACADE:d}, FOLIAGE = {Surface.FOLIAGE:d};
"""
    + """
bool in_window(vec2 f) {
  return kind == FACADE && f.x > .22 && f.x < .74 && f.y > .35 && f.y < .86;
}
vec2 pane() {
  return vec2((abs(world_normal.x) > .5 ? world.y : world.x) / 2.6, world.z / 2.7);
}
float emissivity() { return in_window(fract(pane())) ? .90 : surface_emissivity[kind]; }
float warmth(vec4 albedo, vec3 n) {
  float t = surface_warmth[kind], over = sky_warmth - air;
  // Stains, wear and wet make patches of some tenths of a kelvin.
  t += (fractal(world * .6) - .5) * (.8 + .8 * stored) + (fractal(world * 5.) - .5) * .5;
  // The sky takes warmth from roofs and lids, little from leaves; dark things took more of the
  // day's sun.
  t += (kind == FOLIAGE ? .04 : .12) * over * smoothstep(.3, .9, n.z) * smoothstep(.1, .4, world.z);
  t += (.35 - dot(albedo.rgb, vec3(.333))) * max(stored - 1., 0.) * 2.;
  // Houses are heated: some panes more than others.
  if (in_window(fract(pane()))) t += (.5 + 3. * hash(vec3(floor(pane()), 9.))) * step(.01, stored);
  return t;
}
"""
)
