// Regional maps by WebGL 2: lattices are 3-D textures, regions are layers of others. It does what photostyle/maps/blend.py
// does, pixel by pixel, so that a picture of any size takes no longer than the part of it that is seen.

import { TILE } from "./borders.js";

const VERTEX = `#version 300 es
out vec2 place;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  place = vec2(corner.x, 1.0 - corner.y);  // rows begin at the top
  gl_Position = vec4(2.0 * corner - 1.0, 0.0, 1.0);
}`;

const fragment = (regions, size) => `#version 300 es
precision highp float;
precision highp int;
precision highp sampler3D;
precision highp sampler2DArray;
precision highp isampler2D;
const int K = ${regions};
const float N = ${size}.0;
uniform sampler2D photograph;
uniform sampler3D nodes;      // one lattice above the other
uniform sampler2D heights;    // a row for each region
uniform mat4x3 tilts[K];
#if ${regions} > 1
uniform sampler2DArray guides;
uniform sampler2DArray own;
uniform isampler2D tiles;
uniform vec2 whole;           // size of the finished picture, pixels
#endif
in vec2 place;
out vec4 color;

vec3 mapped(int k, vec3 x) {
  vec3 inside = clamp(x, 0.0, 1.0);
  vec3 at = (inside * (N - 1.0) + 0.5) / N;
  at.z = (at.z + float(k)) / float(K);
  float height = texture(heights, vec2(place.y, (float(k) + 0.5) / float(K))).r;
  return texture(nodes, at).rgb + (x - inside) + height * (tilts[k] * vec4(x, 1.0));
}

#if ${regions} > 1
vec3 blended(vec3 I, int here) {
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
  bool follows = total > 0.5;
  int first = -1, second = -1;
  for (int k = 0; k < K; k++) {
    if ((here >> k & 1) == 0) continue;
    m[k] = follows ? m[k] / total : before[k] / given;
    if (first < 0 || m[k] > m[first]) { second = first; first = k; }
    else if (second < 0 || m[k] > m[second]) second = k;
  }
  float both = m[first] + m[second], t = m[first] / both, doubt = 4.0 * t * (1.0 - t);
  vec3 d = F[first] - F[second];
  float fitting = clamp((doubt * dot(d, I - F[second]) + 0.01 * t) / (doubt * dot(d, d) + 0.01), 0.0, 1.0);
  m[first] = fitting * both;
  m[second] = (1.0 - fitting) * both;
  vec3 rest = I;
  float squares = 0.0;
  for (int k = 0; k < K; k++) if (m[k] > 0.0) { rest -= m[k] * F[k]; squares += m[k] * m[k]; }
  vec3 sum = vec3(0.0);
  for (int k = 0; k < K; k++) if (m[k] > 0.0) sum += m[k] * mapped(k, F[k] + m[k] * rest / squares);
  return sum;
}
#endif

void main() {
  vec3 I = texture(photograph, place).rgb;
#if ${regions} > 1
  ivec2 tile = min(ivec2(place * whole / ${TILE}.0), textureSize(tiles, 0) - 1);
  int here = texelFetch(tiles, tile, 0).r;
  vec3 O;
  if ((here & (here - 1)) == 0) { int k = 0; while ((here >> k & 1) == 0) k++; O = mapped(k, I); }
  else O = blended(I, here);
#else
  vec3 O = mapped(0, I);
#endif
  color = vec4(clamp(O, 0.0, 1.0), 1.0);
}`;

/** Draws onto a canvas; null where there is no WebGL 2 that filters 16-bit textures. */
export function makeRenderer(canvas) {
  const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, depth: false, preserveDrawingBuffer: true });
  return gl && new Renderer(gl);
}

class Renderer {
  constructor(gl) {
    this.gl = gl;
    this.programs = new Map();
    this.photograph = null;
    this.borders = null;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  }

  get largest() { return this.gl.getParameter(this.gl.MAX_TEXTURE_SIZE); }

  setPhotograph(image) {
    const { gl } = this;
    gl.deleteTexture(this.photograph);
    this.photograph = this.texture(gl.TEXTURE_2D, gl.LINEAR_MIPMAP_LINEAR);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, image);
    gl.generateMipmap(gl.TEXTURE_2D);
  }

  setBorders(borders) {
    const { gl } = this, { regions, heights, guides, own, tiles, width, height } = borders;
    for (const texture of Object.values(this.borders?.textures ?? {})) gl.deleteTexture(texture);
    const textures = { heights: this.texture(gl.TEXTURE_2D, gl.LINEAR) };
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16F, heights.length / regions, regions, 0, gl.RED, gl.FLOAT, heights);
    if (regions > 1) {
      for (const [name, values] of [["guides", guides], ["own", own]]) {
        textures[name] = this.texture(gl.TEXTURE_2D_ARRAY, gl.LINEAR);
        gl.texImage3D(gl.TEXTURE_2D_ARRAY, 0, gl.RGBA16F, width, height, regions, 0, gl.RGBA, gl.HALF_FLOAT, values);
      }
      textures.tiles = this.texture(gl.TEXTURE_2D, gl.NEAREST);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32I, tiles.columns, tiles.rows, 0, gl.RED_INTEGER, gl.INT, tiles.sets);
    }
    this.borders = { ...borders, textures };
  }

  setMaps({ nodes, tilts, size }) {
    const { gl } = this, { regions } = this.borders;
    if (this.maps?.size !== size || this.maps.regions !== regions) {
      gl.deleteTexture(this.maps?.texture ?? null);
      this.maps = { size, regions, texture: this.texture(gl.TEXTURE_3D, gl.LINEAR) };
      gl.texStorage3D(gl.TEXTURE_3D, 1, gl.RGBA16F, size, size, size * regions);
    }
    const padded = new Float32Array((nodes.length / 3) * 4); // there is no texture of three channels that can be filtered
    for (let i = 0, j = 0; i < nodes.length; i += 3, j += 4) {
      padded[j] = nodes[i];
      padded[j + 1] = nodes[i + 1];
      padded[j + 2] = nodes[i + 2];
    }
    gl.bindTexture(gl.TEXTURE_3D, this.maps.texture);
    gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, 0, size, size, size * regions, gl.RGBA, gl.FLOAT, padded);
    this.tilts = tilts;
  }

  /** The picture with its upper left corner at (left, top) of the canvas, in pixels of the canvas, as are its sides. */
  draw({ left, top, width, height }) {
    const { gl } = this, { regions, textures, whole } = this.borders;
    const program = this.program(regions, this.maps.size), at = (name) => gl.getUniformLocation(program, name);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.viewport(left, gl.canvas.height - top - height, width, height);
    gl.useProgram(program);
    const bound = [["photograph", gl.TEXTURE_2D, this.photograph], ["nodes", gl.TEXTURE_3D, this.maps.texture], ["heights", gl.TEXTURE_2D, textures.heights]];
    if (regions > 1) {
      bound.push(["guides", gl.TEXTURE_2D_ARRAY, textures.guides], ["own", gl.TEXTURE_2D_ARRAY, textures.own], ["tiles", gl.TEXTURE_2D, textures.tiles]);
      gl.uniform2f(at("whole"), whole.width, whole.height);
    }
    bound.forEach(([name, kind, texture], unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(kind, texture);
      gl.uniform1i(at(name), unit);
    });
    const columns = new Float32Array(12 * regions); // of [A | b], one after the other
    for (let i = 0; i < columns.length; i++) columns[i] = this.tilts[12 * Math.floor(i / 12) + 4 * (i % 3) + (Math.floor(i / 3) % 4)];
    gl.uniformMatrix4x3fv(at("tilts"), false, columns);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  texture(kind, filter) {
    const { gl } = this, made = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(kind, made);
    gl.texParameteri(kind, gl.TEXTURE_MIN_FILTER, filter);
    gl.texParameteri(kind, gl.TEXTURE_MAG_FILTER, filter === gl.LINEAR_MIPMAP_LINEAR ? gl.LINEAR : filter);
    for (const axis of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) gl.texParameteri(kind, axis, gl.CLAMP_TO_EDGE);
    return made;
  }

  program(regions, size) {
    const { gl } = this, key = `${regions} ${size}`;
    if (!this.programs.has(key)) {
      const program = gl.createProgram();
      for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, fragment(regions, size)]]) {
        const shader = gl.createShader(kind);
        gl.shaderSource(shader, text);
        gl.compileShader(shader);
        if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) throw new Error(gl.getShaderInfoLog(shader));
        gl.attachShader(program, shader);
      }
      gl.linkProgram(program);
      if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(program));
      this.programs.set(key, program);
    }
    return this.programs.get(key);
  }
}
