import type { OpenDevice } from "../../src/gpu/device";
import { openNodeDevice } from "../../src/platform/node/adapter";

let opened: Promise<OpenDevice> | undefined;

async function open(): Promise<OpenDevice> {
  const device = await openNodeDevice({ announce: () => {} });
  // An error that no error scope catches fails the run: the results after it are stale or zero.
  device.failure.onFailure((error) => {
    queueMicrotask(() => {
      throw error;
    });
  });
  return device;
}

/** The device of this test file, opened once on the adapter that ZEROTIR_ADAPTER names, or the best one. */
export function testDevice(): Promise<OpenDevice> {
  opened ??= open();
  return opened;
}
