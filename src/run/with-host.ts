/** The host that every use case runs on which opens a model. */
import type { Embedded } from "../platform/node/embedded";
import { nodeTrainingHost } from "../platform/node/training-host";
import type { TrainingHost } from "../session/host";

/**
 * Opens the host, and ends with the device's own error when it has one: a lost device leaves promises unsettled.
 *
 * @param embedded what a program that uses the library gives as values
 */
export async function withHost<Result>(
  announce: (line: string) => void,
  work: (host: TrainingHost) => Promise<Result>,
  embedded: Embedded = {},
): Promise<Result> {
  let failed: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    failed = reject;
  });
  const host = nodeTrainingHost(announce, failed, embedded);
  try {
    return await Promise.race([work(host), failure]);
  } finally {
    host.close();
  }
}
