/** Colours of figures. */
import { at } from "../../base/must";

/** Colours that stay apart for people with any kind of colour blindness (Okabe and Ito 2008), strongest first. */
const SERIES_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"] as const;
export const INK = "#1f2933";
export const QUIET = "#5b6770";
export const GRID = "#e4e7eb";
export const AXIS = "#9aa5b1";

/**
 * Anchors of viridis: even in lightness, so that it reads in grey too. The palest end is left out, white paper swallows
 * it.
 */
const VIRIDIS = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [200, 212, 40],
] as const;

/** A colour for a share from 0 (dark) to 1 (light). */
export function gradientColour(share: number): string {
  const place = Math.max(0, Math.min(1, share)) * (VIRIDIS.length - 1);
  const below = at(VIRIDIS, Math.floor(place));
  const above = at(VIRIDIS, Math.ceil(place));
  const part = place - Math.floor(place);
  const hex = below.map((value, i) =>
    Math.round(value + (at(above, i) - value) * part)
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${hex.join("")}`;
}

/** The colour of a series or run by its place. */
export function seriesColour(index: number): string {
  return at(SERIES_COLOURS, index % SERIES_COLOURS.length);
}
