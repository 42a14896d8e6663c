/** The figures that say most, on top of the page. */
import { mean } from "../../../base/statistics";
import { element } from "../../../web/elements";
import { change, duration, figure, fixed, percent } from "../../../web/format";
import type { RunData } from "../run-data";

/** Steps at each end of the run whose mean is shown. */
const ENDS = 5;

export function tiles({ metrics, maxSteps, validation }: RunData): HTMLElement[] {
  const column = (name: string) => (Object.hasOwn(metrics.columns, name) ? (metrics.columns[name] ?? []) : []);
  const made = [tile("Steps", `${metrics.steps.at(-1) ?? 0}`, maxSteps === null ? "" : `of ${maxSteps}`)];
  made.push(shareTile("Accuracy", column("rollout/rule_rewards"), "accuracy"));
  made.push(shareTile("Code ratio", column("rollout/code_rewards"), "code"));
  const [before, after] = [validation[0], validation.at(-1)];
  const heldOut = Object.keys(after?.figures ?? {}).find((name) => name.endsWith("greedy"));
  if (before !== undefined && after !== undefined && heldOut !== undefined && before !== after) {
    const [from, to] = [before.figures[heldOut] ?? null, after.figures[heldOut] ?? null];
    made.push(tile("Held-out, greedy", percent(to), `${percent(from)} at step ${before.step}`));
  }
  const difference = column("sampling/sampling_logp_difference/max").filter((value) => value !== null);
  if (difference.length > 0) {
    const most = difference.reduce((a, b) => Math.max(a, b), 0);
    made.push(
      tile("Log-prob difference", figure(most), most === 0 ? "exactly on-policy, every step" : "greatest of all steps"),
    );
  }
  const seconds = column("step_time").reduce<number>((sum, value) => sum + (value ?? 0), 0);
  if (seconds > 0) made.push(tile("Time in steps", duration(seconds), `${figure(column("num_tokens").at(-1))} tokens`));
  return made;
}

function shareTile(label: string, values: readonly (number | null)[], className: string): HTMLElement {
  const present = values.filter((value) => value !== null);
  if (present.length < 2 * ENDS) return tile(label, percent(present.at(-1)), "latest step", className);
  const [first, last] = [mean(present.slice(0, ENDS)), mean(present.slice(-ENDS))];
  const points = 100 * (last - first);
  return tile(
    label,
    percent(last),
    `last ${ENDS} steps; ${change(fixed(points, 1), points)} points since the first ${ENDS}`,
    className,
  );
}

function tile(label: string, value: string, detail: string, className = ""): HTMLElement {
  return element(
    "div",
    `panel tile ${className}`,
    element("dt", "", label),
    element("dd", "value", value),
    element("dd", "detail", detail),
  );
}
