// Arrays from the server: safetensors, a length, a header as JSON, and the numbers one array after another.

const KINDS = { F32: Float32Array, I32: Int32Array, F16: Uint16Array }; // of 16 bits only the bits are wanted

/** `{ name: { shape, data } }` and, by the name "about", what the file says of itself. */
export function readTensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const { __metadata__: about, ...entries } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const tensors = { about: Object.fromEntries(Object.entries(about).map(([name, text]) => [name, JSON.parse(text)])) };
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [first, last],
    },
  ] of Object.entries(entries)) {
    const Kind = KINDS[dtype];
    tensors[name] = { shape, data: new Kind(buffer, 8 + length + first, (last - first) / Kind.BYTES_PER_ELEMENT) };
  }
  return tensors;
}
