// What each recipe is called on the page: a plain name and a line; its picture is recipes/NAME.jpg.

const WORDS = {
  photo: ["Photograph", "Light and colour, region by region; stays a photograph at any size."],
  whitening: ["Photograph, milder", "Nearer to the reference than colours alone; quick and calm."],
  reinhard: ["Colour cast", "Mean and spread of the colours, in a moment."],
  "monge-kantorovich": ["Colours, gently", "The change of colours that moves them least, in a moment."],
  pitie: ["Colours, closely", "The whole palette of the reference, in a few seconds."],
  gatys: ["Painting", "Strokes and colours of one or several pictures; a minute or more."],
  mmd: ["Painting, other measures", "Strokes by kernels and statistics, to experiment; a minute or more."],
  mrf: ["Mosaic", "Whole motifs of the reference, patch by patch; a minute or more."],
  luan: ["Deep photo style", "The paper of 2017, to compare with; minutes to hours."],
  doodle: ["Doodle", "Patches of a picture, where your painting says."],
};

export const PICTURE = (name) => `recipes/${name}.jpg`;

/** The plain name of a recipe. */
export const titleOf = (name) => WORDS[name]?.[0] ?? name;

/** What it does, in a line. */
export const lineOf = (recipe) => WORDS[recipe.name]?.[1] ?? `${recipe.purpose}.`;

/** In the order in which they are offered. */
export const inOrder = (recipes) => {
  const names = Object.keys(WORDS);
  const rank = ({ name }) => (names.includes(name) ? names.indexOf(name) : names.length);
  return [...recipes].sort((a, b) => rank(a) - rank(b));
};
