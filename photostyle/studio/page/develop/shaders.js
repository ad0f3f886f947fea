// What runs for each pixel, in two passes. The first finds of which regions a pixel is made and of what colours, which
// depends on the photograph alone; the second, at every move of a slider, looks these colours up in the regions' maps.

import { TILE } from "./borders.js";

export const MOST_REGIONS = 32; // the numbers that the first pass has room for

export const CORNERS = `#version 300 es
out vec2 place;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  place = vec2(corner.x, 1.0 - corner.y);  // rows begin at the top
  gl_Position = vec4(2.0 * corner - 1.0, 0.0, 1.0);
}`;

const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler3D;
precision highp sampler2DArray;
precision highp isampler2D;
`;

/**
 * The first pass, for K regions: \`blend\` of photostyle/maps/blend.py up to the maps. A pixel has parts of three regions
 * at most, each with a target of its own for its colour. Beside the colours stand: the first's share, 0 where there is
 * no picture; the numbers of the first two, k₁ + 32 k₂, and 1024 more if there is a third; its number and share.
 */
export const parting = (regions) => `${HEAD}
const int K = ${regions};
uniform sampler2D photograph;
uniform sampler2DArray guides;
uniform sampler2DArray own;
uniform isampler2D tiles;
uniform vec2 whole;  // size of the finished picture, pixels
in vec2 place;
layout(location = 0) out vec4 one;
layout(location = 1) out vec4 two;
layout(location = 2) out vec4 three;

void part(vec3 I, int here) {
  float before[K], m[K];
  vec3 F[K];
  float total = 0.0, given = 0.0;
  for (int k = 0; k < K; k++) {
    m[k] = before[k] = 0.0;
    if ((here >> k & 1) == 0) continue;
    vec4 shown = texture(own, vec3(place, float(k)));
    vec4 guide = texture(guides, vec3(place, float(k)));
    F[k] = shown.rgb;
    before[k] = max(shown.a, 1e-6);
    given += before[k];
    float soft = clamp((dot(guide.rgb, I) + guide.a - 0.05) / 0.9, 0.0, 1.0);
    m[k] = soft * soft * (3.0 - 2.0 * soft);
    total += m[k];
  }
  int first = -1, second = -1, third = -1;
  for (int k = 0; k < K; k++) {
    if ((here >> k & 1) == 0) continue;
    m[k] = total > 0.5 ? m[k] / total : before[k] / given;
    if (first < 0 || m[k] > m[first]) { third = second; second = first; first = k; }
    else if (second < 0 || m[k] > m[second]) { third = second; second = k; }
    else if (third < 0 || m[k] > m[third]) third = k;
  }
  float both = m[first] + m[second], t = m[first] / both, doubt = 4.0 * t * (1.0 - t);
  vec3 d = F[first] - F[second];
  float fitting = clamp((doubt * dot(d, I - F[second]) + 0.01 * t) / (doubt * dot(d, d) + 0.01), 0.0, 1.0);
  m[first] = fitting * both;
  m[second] = (1.0 - fitting) * both;
  float a = m[first], b = m[second], c = third < 0 ? 0.0 : m[third];
  vec3 rest = I - a * F[first] - b * F[second];
  if (c > 0.0) rest -= c * F[third];
  rest /= a * a + b * b + c * c;
  one = vec4(F[first] + a * rest, max(a, 1e-4));
  two = vec4(F[second] + b * rest, float(first + 32 * second + (c > 0.0 ? 1024 : 0)));
  three = c > 0.0 ? vec4(F[third] + c * rest, float(third) + c) : vec4(0.0);
}

void main() {
  vec3 I = texture(photograph, place).rgb;
  int here = 1;
  if (K > 1) here = texelFetch(tiles, min(ivec2(place * whole / ${TILE}.0), textureSize(tiles, 0) - 1), 0).r;
  if ((here & (here - 1)) != 0) { part(I, here); return; }
  int only = 0;
  while (only < K - 1 && (here >> only & 1) == 0) only++;
  one = vec4(I, 1.0);
  two = vec4(I, float(only));
  three = vec4(0.0);
}`;

/** The second pass, for K maps of N×N×N nodes: every \`stride\`-th pixel of the parts, mapped and put together. */
export const mapping = (regions, size) => `${HEAD}
const int K = ${regions};
const float N = ${size}.0;
uniform sampler2D ones;
uniform sampler2D twos;
uniform sampler2D threes;
uniform sampler3D nodes;    // one lattice behind the other
uniform sampler2D heights;  // a row for each region
uniform mat4x3 tilts[K];
uniform bool slanted;
uniform vec2 rows;          // where in the picture the first row of the target is, and how far it is to the next
uniform int stride;
out vec4 color;

vec3 mapped(int k, vec3 x) {
  vec3 inside = clamp(x, 0.0, 1.0);
  vec3 at = (inside * (N - 1.0) + 0.5) / N;
  at.z = (at.z + float(k)) / float(K);
  vec3 y = texture(nodes, at).rgb + (x - inside);
  if (!slanted) return y;
  float height = texture(heights, vec2(rows.x + rows.y * gl_FragCoord.y, (float(k) + 0.5) / float(K))).r;
  return y + height * (tilts[k] * vec4(x, 1.0));
}

void main() {
  ivec2 at = min(ivec2(gl_FragCoord.xy) * stride + stride / 2, textureSize(ones, 0) - 1);
  vec4 one = texelFetch(ones, at, 0);
  color = vec4(0.0);
  if (one.a == 0.0) return;
  vec4 two = texelFetch(twos, at, 0);
  int numbers = int(two.a + 0.5);
  vec3 sum = mapped(numbers & 31, one.rgb);
  if (one.a < 0.999) {
    float third = 0.0;
    vec3 far = vec3(0.0);
    if (numbers >= 1024) {
      vec4 three = texelFetch(threes, at, 0);
      third = fract(three.a);
      far = third * mapped(int(three.a), three.rgb);
    }
    sum = one.a * sum + (1.0 - one.a - third) * mapped(numbers >> 5 & 31, two.rgb) + far;
  }
  color = vec4(clamp(sum, 0.0, 1.0), 1.0);
}`;
