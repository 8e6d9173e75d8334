"""GLSL of the light that falls on a surface, one text per kind of light, and of noise."""

from __future__ import annotations

from simulator.optics.bands import Band
from simulator.optics.illumination import MOST_LAMPS
from simulator.optics.thermal_glsl import THERMAL_LIGHT

NOISE = """
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

LIGHT = {
    Band.VISIBLE: f"const int MOST_LAMPS = {MOST_LAMPS};"
    + """
layout(location=0) out vec4 picture; layout(location=1) out float identity_out;
uniform vec3 eye, sun_from, sun, sky, bounce; uniform mat4 to_sun;
uniform sampler2DShadow shadow_map; uniform float shadow_spread;
uniform vec3 lamps[MOST_LAMPS], lamp; uniform int n_lamps;
float sunlit(vec3 point) {
  vec4 q = to_sun * vec4(point, 1); vec3 c = q.xyz / q.w * .5 + .5;
  if (any(lessThan(c, vec3(0))) || any(greaterThan(c, vec3(1)))) return 1.;
  float lit = 0.;
  if (shadow_spread > 0.) {
    // A disc of samples on a golden spiral, turned by chance from point to point.
    float turn = 6.283 * hash(point * 37.);
    for (int i = 0; i < 10; i++) {
      float a = turn + 2.4 * float(i), r = sqrt((float(i) + .5) / 10.) * shadow_spread;
      lit += texture(shadow_map, vec3(c.xy + r * vec2(cos(a), sin(a)),
                                      c.z - .0004 - .12 * r));
    }
    return lit / 10.;
  }
  for (int i = -1; i <= 1; i++) for (int j = -1; j <= 1; j++)
    lit += texture(shadow_map, vec3(c.xy + vec2(i, j) / 2048., c.z - .0004));
  return lit / 9.;
}
void light(vec4 albedo, vec3 n, vec3 flat_normal, float open, float gloss, float sharp) {
  vec3 to_eye = normalize(eye - world);
  float shadow = sunlit(world + flat_normal * .02);
  vec3 ambient = mix(bounce, sky, .5 + .5 * n.z);
  float shine = pow(max(dot(n, normalize(to_eye + sun_from)), 0.), sharp) * gloss;
  vec3 falling = sun * max(dot(n, sun_from), 0.) * shadow + ambient * open;
  for (int i = 0; i < n_lamps; i++) {
    vec3 to_lamp = lamps[i] - world; float d2 = dot(to_lamp, to_lamp);
    to_lamp *= inversesqrt(d2);
    float facing = .9 * max(dot(n, to_lamp), 0.) + .1;
    falling += lamp * (25. / max(d2, 1.)) * facing * smoothstep(-.02, .35, to_lamp.z);
  }
  picture = vec4(max(albedo.rgb, 0.) * falling + shine * sun * shadow, 1);
}
""",
    Band.NEAR_INFRARED: """
layout(location=0) out vec4 picture; layout(location=1) out float identity_out;
uniform vec3 eye, lamp, lamp_direction; uniform float lamp_power, lamp_ambient;
void light(vec4 albedo, vec3 n, vec3 flat_normal, float open, float gloss, float sharp) {
  vec3 to_lamp = lamp - world; float d2 = dot(to_lamp, to_lamp); to_lamp *= inversesqrt(d2);
  float beam = lamp_power * smoothstep(.55, .98, dot(-to_lamp, lamp_direction)) / d2;
  float facing = max(dot(n, to_lamp), 0.);
  float grey = max(albedo.a, 0.) * open * (beam * (facing * .85 + .15) + lamp_ambient)
             + gloss * .3 * pow(facing, 24.) * beam;
  // Retro-reflecting sheet of EN ISO 20471, class 2: 330, 250, 25, 10 cd/lx m2 at 12', 20', 60',
  // 90' between lamp and lens as seen from it; a white wall has 1 / pi. It fades at slants.
  float apart = degrees(acos(min(dot(to_lamp, normalize(eye - world)), 1.)));
  float returned = 330. * 3.14 / (1. + pow(apart / .45, 2.9)) * smoothstep(.70, .97, facing);
  grey += retro * returned * beam;
  picture = vec4(vec3(min(grey, 60000.)), 1);
}
""",
    Band.THERMAL: THERMAL_LIGHT,
}
