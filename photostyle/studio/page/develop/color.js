// Colours: sRGB, light and CIE L*a*b*, and the way from one to another. The same as photostyle/color, number by number.

const FROM_RGB = [
  0.4123907993, 0.3575843394, 0.1804807884, 0.2126390059, 0.7151686788, 0.0721923154, 0.0193308187, 0.1191947798,
  0.9505321522,
];
const WHITE = [0, 1, 2].map((row) => FROM_RGB[3 * row] + FROM_RGB[3 * row + 1] + FROM_RGB[3 * row + 2]);
const TO_RGB = inverse(FROM_RGB);
const DELTA = 6 / 29;
const MOST = 2,
  GREY = 1e-6; // as in photostyle/color/path.py

export const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
export const encoded = (x) => (x <= 0.0031308 ? x * 12.92 : 1.055 * x ** (1 / 2.4) - 0.055);
export const luma = (r, g, b) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

const root = (x) => (x > DELTA ** 3 ? Math.cbrt(x) : x / (3 * DELTA ** 2) + 4 / 29);
const cube = (f) => (f > DELTA ? f ** 3 : 3 * DELTA ** 2 * (f - 4 / 29));

/** Colours, three numbers each, from sRGB to L*a*b*. */
export function labs(colors) {
  const found = new Float64Array(colors.length),
    [m0, m1, m2, m3, m4, m5, m6, m7, m8] = FROM_RGB;
  for (let i = 0; i < colors.length; i += 3) {
    const r = linear(colors[i]),
      g = linear(colors[i + 1]),
      b = linear(colors[i + 2]);
    const x = root((m0 * r + m1 * g + m2 * b) / WHITE[0]);
    const y = root((m3 * r + m4 * g + m5 * b) / WHITE[1]);
    const z = root((m6 * r + m7 * g + m8 * b) / WHITE[2]);
    found[i] = 116 * y - 16;
    found[i + 1] = 500 * (x - y);
    found[i + 2] = 200 * (y - z);
  }
  return found;
}

/** From the colours `one` to `other`, both L*a*b*, to sRGB: `t` of the way in lightness, `held(i) * t` in a* and b*. */
export function between(one, other, t, held = null) {
  const way = new Float64Array(one.length),
    [m0, m1, m2, m3, m4, m5, m6, m7, m8] = TO_RGB;
  for (let i = 0; i < one.length; i += 3) {
    const s = held ? t * held[i / 3] : t;
    let a = one[i + 1] + s * (other[i + 1] - one[i + 1]),
      b = one[i + 2] + s * (other[i + 2] - one[i + 2]);
    const from = Math.hypot(one[i + 1], one[i + 2]),
      to = Math.hypot(other[i + 1], other[i + 2]);
    const raised = Math.min(MOST, Math.max(1, (from + s * (to - from)) / Math.max(GREY, Math.hypot(a, b))));
    a *= raised;
    b *= raised;
    const y = (one[i] + t * (other[i] - one[i]) + 16) / 116;
    const X = WHITE[0] * cube(y + a / 500),
      Y = WHITE[1] * cube(y),
      Z = WHITE[2] * cube(y - b / 200);
    way[i] = encoded(m0 * X + m1 * Y + m2 * Z);
    way[i + 1] = encoded(m3 * X + m4 * Y + m5 * Z);
    way[i + 2] = encoded(m6 * X + m7 * Y + m8 * Z);
  }
  return way;
}

function inverse([a, b, c, d, e, f, g, h, i]) {
  const A = e * i - f * h,
    B = f * g - d * i,
    C = d * h - e * g,
    det = a * A + b * B + c * C;
  return [A, c * h - b * i, b * f - c * e, B, a * i - c * g, c * d - a * f, C, b * g - a * h, a * e - b * d].map(
    (x) => x / det,
  );
}
