"""GLSL of people: where garments end, what each material shows."""

from __future__ import annotations

from simulator.figures.materials import Material

PERSON_TRIM = f"""
const int SKIN = {Material.SKIN:d}, TOP = {Material.TOP:d}, BOTTOM = {Material.BOTTOM:d};
const int SHOES = {Material.SHOES:d}, HAIR = {Material.HAIR:d}, CAP = {Material.CAP:d};
const int LOCKS = {Material.LOCKS:d}, VEST = {Material.VEST:d}, HOOD = {Material.HOOD:d};
const int SCARF = {Material.SCARF:d}, BRIM = {Material.BRIM:d}, LEGWEAR = {Material.LEGWEAR:d};
const int BAG = {Material.BAG:d}, STRAP = {Material.STRAP:d};
uniform float sleeve, hem, collar, opening, trousers_end, skirt_end, shoe_top;
uniform bool has_skirt, has_legwear; uniform vec2 cap_edge, hair_edge;
float legs_covered() {{ return has_skirt ? max(skirt_end + .06, -.1) : trousers_end + .03; }}
bool is_trimmed() {{
  float arm = part.x, head = part.y, hand = part.z, side = abs(ref.x), z = ref.z;
  bool is_arm = arm > .5;
  if (material == TOP) {{
    if (is_arm || hand > .4) return side > sleeve || (hand > .5 && sleeve < .45);
    return z < hem || z > collar + .02 * step(0., ref.y);
  }}
  if (material == BOTTOM) return z < (has_skirt ? skirt_end : trousers_end) || z > .12;
  if (material == SHOES) return z > shoe_top;
  if (material == LEGWEAR) return z > legs_covered() + .04 || z < -.78;
  if (material == VEST)
    return z < -.03 || z > .55 || side > .185 || (ref.y < 0. && side < .4 * (z - .38));
  if (material == HOOD || material == SCARF) {{
    vec2 face = vec2(side, z - .682) / vec2(.068, material == HOOD ? .098 : .088);
    return ref.y < -.06 && dot(face, face) < 1.;
  }}
  if (material == HAIR || material == CAP) {{
    float front = 1. - smoothstep(-.105, -.05, ref.y);
    vec2 edge = material == CAP ? cap_edge : hair_edge;
    return z < mix(edge.x, edge.y, front);
  }}
  if (material == LOCKS) return ref.y < (z > .56 ? -.04 : -.015);
  if (material != SKIN) return false;
  if (is_arm) return side < sleeve - .02;
  if (hand < .3 && head < .5 && z < collar - .03 && z > max(hem, -.05)) return true;
  if (hand < .3 && head < .3 && z < .1 && (z > legs_covered() || has_legwear)) return true;
  return z < shoe_top - .01 && hand < .1;
}}
"""

PERSON_SHADE = (
    f"const int N_MATERIALS = {len(Material)};"
    + """
uniform float identity, beard, glasses, straps; uniform vec4 shirt;
uniform vec4 cloth[N_MATERIALS], second_cloth[N_MATERIALS], pattern[N_MATERIALS];
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
  if (kind == 9) return step(ref.z, -.80) + step(.72, fract(ref.z * 9.)) * .2;
  if (kind == 10) {
    vec2 q = vec2(ref.x - .07, ref.z - .40) / (.016 + .02 * fract(seed * 5.)); q.y *= 1.6;
    return front && part.x < .5 && dot(q, q) < 1. ? step(.3, noise(vec3(q * 3., seed))) : 0.;
  }
  if (kind == 11) return smoothstep(.80, .97, abs(fract(ref.z * 13. / scale) * 2. - 1.)) * .8;
  if (kind == 12) {
    float wide = .07 + .06 * fract(seed), tall = .018 + .02 * fract(seed * 3.);
    vec2 q = vec2(ref.x, ref.z - .36 + .05 * fract(seed * 11.));
    bool inside = abs(q.x) < wide && abs(q.y) < tall && (front || fract(seed * 7.) > .5);
    return inside && part.x < .5 ? step(.42, noise(vec3(q * vec2(70, 34), seed))) : 0.;
  }
  if (kind == 13) {
    float side = abs(ref.x), z = ref.z;
    bool band = (z > .06 && z < .115) || (z > .22 && z < .275);
    return band || (z > .275 && side > .085 && side < .13) ? 1. : 0.;
  }
  if (kind == 14) {
    vec2 q = fract(vec2(ref.x + step(.5, fract(ref.z * 11. * scale)) * .045 / scale, ref.z)
                   * 11. * vec2(1, 2) * scale) - .5;
    return step(dot(q, q), .06);
  }
  return 0.;
}
vec4 with_face(vec4 c) {
  float side = abs(ref.x), z = ref.z;
  float rough = noise(vec3(ref.xz * 190., 3.)), low = .644 + .05 * smoothstep(.046, .07, side);
  bool lips = abs(z - .635) < .007 && side < .022 && ref.y < -.11;
  float chin = beard * smoothstep(low + .012, low - .006, z + (rough - .5) * .012)
             * step(ref.y, -.035) * step(.575, z);
  if (!lips) c = mix(c, cloth[HAIR], chin * (.55 + .35 * beard) * (.7 + .4 * rough));
  if (glasses > 0. && ref.y < -.055) {
    vec2 g = vec2(side - .033, z - .695) / vec2(.026, .017);
    float rim = abs(dot(g, g) - .85), frame = step(rim, .3) + step(abs(z - .702), .0035);
    c = mix(c, vec4(.02, .02, .022, .05), clamp(frame + step(dot(g, g), 1.) * glasses, 0., 1.)
            * step(dot(g, g), 1.15) + step(abs(z - .702), .0035) * step(side, .075) * .9);
    if (dot(g, g) < 1.15) return c;
  }
  vec2 e = vec2(side - .031, z - .697) * vec2(1., 1.8);
  if (ref.y < -.08 && dot(e, e) < .00016) {
    retro = .004 * step(dot(e, e), .00005);
    return vec4(c.rgb * .25, c.a * .35);
  }
  if (ref.y < -.09 && abs(z - .716) < .005 && abs(side - .033) < .02)
    return mix(c * .55, cloth[HAIR], .6);
  if (lips) return vec4(c.rgb * vec3(.85, .55, .55), c.a * .9);
  return c;
}
float on_strap() {
  if (straps < .5 || part.x > .5 || ref.z < -.05) return 0.;
  if (straps < 1.5)
    return ref.z > .2 && abs(abs(ref.x) - .095 - .02 * smoothstep(.45, .2, ref.z)) < .02 ? 1. : 0.;
  vec2 along = normalize(vec2(.29, .56)), q = vec2(ref.x + .165, ref.z + .02);
  return abs(q.x * along.y - q.y * along.x) < .015 ? 1. : 0.;
}
void main() {
  if (is_trimmed()) discard;
  vec3 flat_normal = normalize(world_normal), n = flat_normal;
  if (dot(n, eye - world) < 0.) n = -n;
  float second = clamp(second_share(pattern[material]), 0., 1.);
  if (material == HOOD) second = 0.;
  vec4 c = mix(cloth[material], second_cloth[material], second);
  retro = pattern[material].w * second;
  bool is_cloth = material == TOP || material == BOTTOM || material == VEST || material == HOOD
    || material == SCARF;
  bool in_opening = abs(ref.x) < opening * (1. + .6 * smoothstep(.1, .5, ref.z));
  if (material == TOP && opening > 0. && ref.y < 0. && part.x < .5 && in_opening) c = shirt;
  if (material == TOP && opening == 0. && ref.y < 0. && part.x < .5 && abs(ref.x) < .002)
    c *= .75;
  if (material == SKIN && part.y > .5) c = with_face(c);
  float open = 1.;
  if (is_cloth) {
    vec3 q = ref * vec3(8, 8, 11) + pattern[material].z; float e = .12, fold = fractal(q);
    vec3 slope = vec3(fractal(q + vec3(e, 0, 0)), fractal(q + vec3(0, e, 0)),
                      fractal(q + vec3(0, 0, e))) - fold;
    n = normalize(n - .2 * slope / e); open = .82 + .3 * fold;
  }
  bool below_hem = material == BOTTOM || material == LEGWEAR || material == SKIN;
  if (below_hem && part.x < .5 && part.z < .3 && hem > -.3)
    open *= 1. - .5 * smoothstep(hem - .045, hem, ref.z) * step(ref.z, hem + .01);
  if (material == TOP && part.x < .5) open *= 1. - .3 * (1. - smoothstep(hem, hem + .012, ref.z));
  if (is_cloth && part.x > .5) open *= 1. - .35 * smoothstep(sleeve - .014, sleeve, abs(ref.x));
  if ((material == TOP || material == VEST) && on_strap() > .5) c = cloth[BAG];
  if (material == HAIR || material == LOCKS) open = .55 + .8 * fractal(ref * vec3(90, 90, 16));
  open *= mix(.55, 1., smoothstep(0., .5, world.z));
  bool smooth_thing = material == SHOES || material == CAP;
  float gloss = material == SKIN ? .07 : material == HAIR || material == LOCKS ? .10 : .025;
  light(c, n, flat_normal, open, gloss, smooth_thing ? 40. : 18.);
  identity_out = identity;
}"""
)
