// Regional maps by WebGL 2: lattices are a 3-D texture, regions are layers of others. See shaders.js for what is done.

import { CORNERS, mapping, MOST_REGIONS, parting } from "./shaders.js";

/** Draws onto a canvas; null where there is no WebGL 2 that can draw numbers of 16 bits. */
export function makeRenderer(canvas) {
  const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, depth: false, preserveDrawingBuffer: true });
  return gl?.getExtension("EXT_color_buffer_float") ? new Renderer(gl) : null;
}

class Renderer {
  programs = new Map();
  textures = {};
  regions = 0;
  maps = null; // how large they are, once there are some
  parted = null; // for which place and size the first pass was run

  constructor(gl) {
    this.gl = gl;
    this.targets = { parts: gl.createFramebuffer(), coarse: gl.createFramebuffer() };
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  }

  get largest() {
    return this.gl.getParameter(this.gl.MAX_TEXTURE_SIZE);
  }

  setPhotograph(image) {
    const { gl } = this;
    this.texture("photograph", gl.TEXTURE_2D, gl.LINEAR_MIPMAP_LINEAR);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, image);
    gl.generateMipmap(gl.TEXTURE_2D);
    this.parted = null;
  }

  setBorders({ regions, heights, guides, own, tiles, width, height, whole }) {
    const { gl } = this;
    if (regions > MOST_REGIONS) throw new Error(`The page can show looks of ${MOST_REGIONS} regions at most.`);
    this.texture("heights", gl.TEXTURE_2D, gl.LINEAR);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16F, heights.length / regions, regions, 0, gl.RED, gl.FLOAT, heights);
    for (const [name, values] of Object.entries(regions > 1 ? { guides, own } : {})) {
      this.texture(name, gl.TEXTURE_2D_ARRAY, gl.LINEAR);
      gl.texImage3D(gl.TEXTURE_2D_ARRAY, 0, gl.RGBA16F, width, height, regions, 0, gl.RGBA, gl.HALF_FLOAT, values);
    }
    if (regions > 1) {
      this.texture("tiles", gl.TEXTURE_2D, gl.NEAREST);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32I, tiles.columns, tiles.rows, 0, gl.RED_INTEGER, gl.INT, tiles.sets);
    }
    Object.assign(this, { regions, whole, maps: null, parted: null });
  }

  setMaps({ nodes, tilts, size }) {
    const { gl, regions } = this;
    if (this.maps?.size !== size) {
      this.texture("nodes", gl.TEXTURE_3D, gl.LINEAR);
      gl.texStorage3D(gl.TEXTURE_3D, 1, gl.RGBA16F, size, size, size * regions);
      this.maps = { size, padded: new Float32Array(4 * size ** 3 * regions) };
    }
    const { padded } = this.maps; // there is no texture of three channels that is filtered
    for (let i = 0, j = 0; i < nodes.length; i += 3, j += 4) {
      padded[j] = nodes[i];
      padded[j + 1] = nodes[i + 1];
      padded[j + 2] = nodes[i + 2];
    }
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_3D, this.textures.nodes);
    gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, 0, size, size, size * regions, gl.RGBA, gl.FLOAT, padded);
    this.tilts = tilts;
  }

  /**
   * The picture with its upper left corner at (left, top) of the canvas, in pixels of the canvas, as are its sides; only
   * every `stride`-th pixel, and large ones, if there is not the time for all.
   */
  draw(where, stride = 1) {
    const { gl } = this;
    const { width, height } = gl.canvas;
    const place = JSON.stringify([where, width, height]);
    if (this.parted !== place) this.part(where);
    this.parted = place;
    const columns = Math.ceil(width / stride);
    const rows = Math.ceil(height / stride);
    gl.bindFramebuffer(gl.FRAMEBUFFER, stride > 1 ? this.coarse(columns, rows) : null);
    gl.viewport(0, 0, columns, rows);
    const program = this.use(`maps ${this.regions} ${this.maps.size}`, () => mapping(this.regions, this.maps.size));
    this.bind(program, { ones: gl.TEXTURE_2D, twos: gl.TEXTURE_2D, threes: gl.TEXTURE_2D });
    this.bind(program, { nodes: gl.TEXTURE_3D, heights: gl.TEXTURE_2D }, 3);
    const at = (name) => gl.getUniformLocation(program, name);
    gl.uniform1i(at("stride"), stride);
    gl.uniform1i(at("slanted"), this.tilts.some(Boolean));
    gl.uniform2f(at("rows"), (height - where.top) / where.height, -stride / where.height);
    gl.uniformMatrix4x3fv(at("tilts"), false, this.columns());
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    if (stride === 1) return;
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, this.targets.coarse);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
    const [right, upper] = [columns * stride, rows * stride];
    gl.blitFramebuffer(0, 0, columns, rows, 0, 0, right, upper, gl.COLOR_BUFFER_BIT, gl.LINEAR);
  }

  /** Calls back with the milliseconds that what was asked for has taken, once it is drawn. */
  measure(call) {
    const { gl } = this;
    const began = performance.now();
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const look = () => {
      if (gl.isContextLost()) call(0);
      else if (gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.SIGNALED) {
        gl.deleteSync(fence);
        call(performance.now() - began);
      } else setTimeout(look, 2);
    };
    setTimeout(look, 0);
  }

  /** The first pass. */
  part({ left, top, width, height }) {
    const { gl, regions } = this;
    this.makeParts(gl.canvas.width, gl.canvas.height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.targets.parts);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.viewport(left, gl.canvas.height - top - height, width, height);
    const program = this.use(`parts ${regions}`, () => parting(regions));
    this.bind(program, { photograph: gl.TEXTURE_2D });
    // with one region nothing is read of these; but samplers of two kinds may not share a unit
    this.bind(program, { guides: gl.TEXTURE_2D_ARRAY, own: gl.TEXTURE_2D_ARRAY, tiles: gl.TEXTURE_2D }, 1);
    gl.uniform2f(gl.getUniformLocation(program, "whole"), this.whole.width, this.whole.height);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  makeParts(width, height) {
    const { gl } = this;
    if (this.partsSize === `${width} ${height}`) return;
    this.partsSize = `${width} ${height}`;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.targets.parts);
    const buffers = ["ones", "twos", "threes"].map((name, index) => {
      this.texture(name, gl.TEXTURE_2D, gl.NEAREST);
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA16F, width, height);
      const buffer = gl.COLOR_ATTACHMENT0 + index;
      gl.framebufferTexture2D(gl.FRAMEBUFFER, buffer, gl.TEXTURE_2D, this.textures[name], 0);
      return buffer;
    });
    gl.drawBuffers(buffers);
  }

  /** The framebuffer for fewer pixels. */
  coarse(width, height) {
    const { gl } = this;
    if (this.coarseSize !== `${width} ${height}`) {
      this.coarseSize = `${width} ${height}`;
      this.texture("coarse", gl.TEXTURE_2D, gl.NEAREST);
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width, height);
      gl.bindFramebuffer(gl.FRAMEBUFFER, this.targets.coarse);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.textures.coarse, 0);
    }
    return this.targets.coarse;
  }

  /** The tilts as WebGL takes them: a matrix's columns one after the other. */
  columns() {
    const place = (i) => 12 * Math.floor(i / 12) + 4 * (i % 3) + (Math.floor(i / 3) % 4);
    return Float32Array.from(this.tilts, (_, i) => this.tilts[place(i)]);
  }

  /** A new texture of that name in place of the old one, bound. */
  texture(name, kind, filter) {
    const { gl } = this;
    gl.deleteTexture(this.textures[name] ?? null);
    this.textures[name] = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(kind, this.textures[name]);
    gl.texParameteri(kind, gl.TEXTURE_MIN_FILTER, filter);
    gl.texParameteri(kind, gl.TEXTURE_MAG_FILTER, filter === gl.LINEAR_MIPMAP_LINEAR ? gl.LINEAR : filter);
    for (const axis of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) {
      gl.texParameteri(kind, axis, gl.CLAMP_TO_EDGE);
    }
  }

  /** Textures, by their names and kinds, for the samplers of those names, from that unit on. */
  bind(program, textures, first = 0) {
    const { gl } = this;
    Object.entries(textures).forEach(([name, kind], index) => {
      gl.activeTexture(gl.TEXTURE0 + first + index);
      gl.bindTexture(kind, this.textures[name] ?? null);
      gl.uniform1i(gl.getUniformLocation(program, name), first + index);
    });
  }

  /** The program of that name, made of this fragment shader if it is new, in use. */
  use(name, fragment) {
    const { gl } = this;
    if (!this.programs.has(name)) {
      const program = gl.createProgram();
      for (const [kind, text] of [
        [gl.VERTEX_SHADER, CORNERS],
        [gl.FRAGMENT_SHADER, fragment()],
      ]) {
        const shader = gl.createShader(kind);
        gl.shaderSource(shader, text);
        gl.compileShader(shader);
        gl.attachShader(program, shader);
      }
      gl.linkProgram(program);
      if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
        const said = gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader));
        throw new Error(`This browser's WebGL does not understand the page: ${said.join(" ")}`);
      }
      this.programs.set(name, program);
    }
    gl.useProgram(this.programs.get(name));
    return this.programs.get(name);
  }
}
