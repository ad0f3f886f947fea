// Selections: what clicks on things leave behind. Each click refines what the clicks before it have selected.

import { NONE } from "./labels.js";

const HALF = 128;
const SURE = 242; // of a cut-out: what is less is left to be found out

/** Clicks on one side for one region, or away from it: of all answers the last one holds. */
export class Selection {
  picks = []; // the oldest first
  under = null; // the labels as they were before

  /** `sheet` is what is painted, labels or marks; the first click may be one that takes away. */
  constructor(side, ink, sheet, takesAway) {
    Object.assign(this, { side, ink, sheet, takesAway });
  }

  fits(side, ink, sheet) {
    return this.side === side && this.ink === ink && this.sheet === sheet && this.picks.length > 0;
  }

  add(isAway) {
    const pick = new Pick(this, isAway);
    this.picks.push(pick);
    return pick;
  }

  forget(pick) {
    this.picks = this.picks.filter((other) => other !== pick);
  }
}

/** One click, in the place of a stroke: its mask is what the clicks up to this one mean. */
class Pick {
  alpha = null; // a promise: the answer
  done = false; // the button is up
  mask = null;
  at = null;

  constructor(selection, isAway) {
    Object.assign(this, { selection, isAway, side: selection.side, ink: selection.ink });
  }

  /** Where it is let go is what counts. */
  to(at) {
    this.at = at;
  }

  get isInside() {
    return this.isAway === this.selection.takesAway;
  }

  /** Nothing was answered. */
  get isVoid() {
    return !this.mask;
  }

  /** What the server is asked; at the first click that is of the same mind as the selection there is something inside. */
  question() {
    const { picks } = this.selection;
    const asked = picks.slice(0, picks.indexOf(this) + 1);
    const points = (isInside) => asked.filter((pick) => pick.isInside === isInside).map(({ at }) => [at.x, at.y]);
    return { side: this.side.side, inside: points(true), outside: points(false) };
  }

  answer({ data }) {
    const least = this.selection.sheet === "marks" ? SURE : HALF;
    this.mask = new Uint8Array(data.length / 4);
    for (let i = 0; i < this.mask.length; i++) this.mask[i] = data[4 * i] >= least ? 1 : 0;
  }

  /** Lay it on labels, in the place of the clicks before it. */
  apply(labels) {
    if (!this.mask) return;
    const { selection, mask, ink } = this;
    const before = selection.picks.slice(0, selection.picks.indexOf(this)).findLast((pick) => pick.mask);
    if (!before) selection.under = labels.slice();
    const { under } = selection;
    for (let i = 0; i < labels.length; i++) {
      if (before?.mask[i]) labels[i] = under[i];
      if (!mask[i]) continue;
      if (!selection.takesAway) labels[i] = ink;
      else if (under[i] === ink) labels[i] = NONE;
    }
  }
}
