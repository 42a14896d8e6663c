/** Makes a function of a string: what the browser must refuse here. */
const fromString = Function;

/**
 * Tries, from the worker that calls it, what the frame's opaque origin and its policy must refuse, without a request to
 * any host. A browser that does not hand both down to workers is found here.
 *
 * @returns one phrase for each thing that was possible; empty when the sandbox is closed
 */
export async function openDoors(): Promise<string[]> {
  const attempts: [string, () => unknown][] = [
    ["make code of strings", () => fromString("return 1")()],
    ["load data by address", () => fetch("data:,")],
    ["load scripts", () => importScripts("data:text/javascript,")],
    ["store data", () => indexedDB.open("door")],
  ];
  const refused = await Promise.all(attempts.map(([, attempt]) => isRefused(attempt)));
  const open = attempts.filter((_, index) => !refused[index]).map(([what]) => what);
  return self.origin === "null" ? open : ["act for the page's origin", ...open];
}

async function isRefused(attempt: () => unknown): Promise<boolean> {
  try {
    await attempt();
    return false;
  } catch {
    return true;
  }
}
