/** What a device reports. */
import { ExpectedError } from "../base/errors";

/** Which kind of trouble a device reported. */
export type GpuErrorKind = "validation" | "out-of-memory" | "internal" | "device-lost";

/** An error the device reported after the fact. Results computed since are not to be trusted. */
export class GpuError extends ExpectedError {
  override readonly name = "GpuError";
  readonly kind: GpuErrorKind;

  /**
   * @param kind which error class of WebGPU it came from.
   * @param message one sentence for the user, the driver's text included.
   */
  constructor(kind: GpuErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
