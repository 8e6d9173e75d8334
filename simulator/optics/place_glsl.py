"""GLSL of places: what each surface shows."""

from __future__ import annotations

PLACE_SHADE = """
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
