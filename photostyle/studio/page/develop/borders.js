// Where the regions of a photograph lie, as the server tells it.

export const TILE = 64; // pixels of the finished picture

/** What `Placed.parts` of photostyle/looks/placed.py holds, of a picture of size `whole` at last. */
export function readBorders(tensors, whole) {
  const regions = tensors.about.names.length,
    heights = tensors.heights.data;
  if (regions === 1) return { regions, heights, whole };
  const [, height, width] = tensors.own.shape,
    [rows, columns] = tensors.tiles.shape;
  return {
    regions,
    heights,
    whole,
    width,
    height,
    guides: tensors.guides.data,
    own: tensors.own.data,
    tiles: { rows, columns, sets: tensors.tiles.data },
  };
}
