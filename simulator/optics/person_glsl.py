"""GLSL of people: where garments end, what each material shows."""

from __future__ import annotations

from simulator.figures.garments import Material

PERSON_TRIM = f"""
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

PERSON_SHADE = """
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
