/** Figures as the pages write them. */

const DASH = "–";
const MINUS = "−";

/** `0.4375` as `43.8 %`. */
export function percent(share: number | null | undefined): string {
  return isFigure(share) ? `${signed((100 * share).toFixed(1))} %` : DASH;
}

/** Three significant digits, thousands apart. */
export function figure(value: number | null | undefined): string {
  if (!isFigure(value)) return DASH;
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e7)) return signed(value.toExponential(1));
  if (Math.abs(value) >= 1000) return signed(Math.round(value).toLocaleString("en-US").replaceAll(",", "\u202f"));
  return signed(String(Number(value.toPrecision(3))));
}

/** A number with this many decimals. */
export function fixed(value: number | null | undefined, decimals: number): string {
  return isFigure(value) ? signed(value.toFixed(decimals)) : DASH;
}

/** With a plus sign when above zero. */
export function change(text: string, value: number): string {
  return value > 0 ? `+${text}` : text;
}

/** A probability that may be far too small for decimals. */
export function probability(p: number | null | undefined): string {
  if (!isFigure(p)) return DASH;
  return p >= 0.001 ? p.toFixed(3) : signed(p.toExponential(1));
}

/** `3.2 s`, `1 min 40 s`, `2 h 05 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

function isFigure(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function signed(text: string): string {
  return text.replace("-", MINUS);
}
