/** Where the page gets its data: from elements of its own file, or from the server that shows a run while it trains. */
import { ROLLOUTS_CLASS, RUN_ELEMENT } from "../embed";
import type { Rollout, RunData } from "../run-data";

export interface RunSource {
  run(): Promise<RunData>;
  rollouts(step: number): Promise<readonly Rollout[]>;
  /** Calls back when there is more to read, and when the server has gone or come back. */
  watch(onChange: () => void, onServer: (isThere: boolean) => void): void;
}

/** The file itself when it holds a run, else the server. */
export function openSource(): RunSource {
  const own = document.getElementById(RUN_ELEMENT);
  return own === null ? serverSource() : fileSource(own);
}

function fileSource(own: Element): RunSource {
  const run: RunData = JSON.parse(own.textContent);
  const read = new Map<number, readonly Rollout[]>();
  return {
    run: async () => run,
    async rollouts(step) {
      const known = read.get(step);
      if (known !== undefined) return known;
      const found = document.querySelector(`script.${ROLLOUTS_CLASS}[data-step="${step}"]`);
      const rollouts: readonly Rollout[] = found === null ? [] : JSON.parse(found.textContent);
      read.set(step, rollouts);
      return rollouts;
    },
    watch() {},
  };
}

function serverSource(): RunSource {
  const read = new Map<number, Promise<readonly Rollout[]>>();
  return {
    run: () => json<RunData>("run.json"),
    rollouts(step) {
      const known = read.get(step);
      if (known !== undefined) return known;
      const asked = json<readonly Rollout[]>(`rollouts/${step}.json`);
      // One that failed is asked for again.
      asked.catch(() => read.delete(step));
      read.set(step, asked);
      return asked;
    },
    watch(onChange, onServer) {
      const events = new EventSource("events");
      events.addEventListener("open", () => onServer(true));
      events.addEventListener("error", () => onServer(false));
      events.addEventListener("change", () => {
        // A resumed run writes its steps anew.
        read.clear();
        onChange();
      });
    },
  };
}

async function json<T>(address: string): Promise<T> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: the server answered ${response.status}`);
  return response.json();
}
