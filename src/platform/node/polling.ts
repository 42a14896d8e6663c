/**
 * Dawn in Node asks the device for finished work once per turn of the event loop, without pause. A nap per turn gives
 * the core back to a software adapter, which needs it for the very work that is waited for: a pretraining step on two
 * cores took 1.5 times as long without it.
 */

/** Longest delay that a nap adds to the answer of a readback, or to a message from a worker. */
const NAP_MS = 0.25;

/**
 * For `createContext` on software adapters: the returned function sleeps a little in every turn of the event loop while
 * the GPU is waited for. Waits that follow one another within a turn share its one nap.
 */
export function napWhileWaiting(nap: () => void = napper()): (isWaiting: () => boolean) => void {
  let isNapping = false;
  return (isWaiting) => {
    if (isNapping) return;
    isNapping = true;
    const turn = () => {
      if (isWaiting()) {
        nap();
        setImmediate(turn);
      } else isNapping = false;
    };
    setImmediate(turn);
  };
}

function napper(): () => void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  return () => void Atomics.wait(cell, 0, 0, NAP_MS);
}
