/**
 * The page's part of the sandbox: a frame in which the programs run. Its origin is opaque, so it has no storage, no
 * cookies and no access to the page; its content security policy allows one script, workers from its own blobs and the
 * compilation of WebAssembly, and nothing from the network. Workers started inside inherit both.
 *
 * A frame of this kind also inherits the page's own policy. A page that has one must allow in it what the frame needs:
 * `script-src 'wasm-unsafe-eval'` with the hash of the frame's script (`frameHash`), and `worker-src blob:`.
 */
import { hash, text } from "./frame-program?program";

export interface SandboxFrame {
  /** For `createBrowserSandbox`, here or in a worker to which it is transferred. */
  readonly port: MessagePort;
  /** Takes the frame off the page, and ends all that runs in it. */
  remove(): void;
}

const POLICY = [
  "default-src 'none'",
  `script-src '${hash}' 'wasm-unsafe-eval'`,
  "worker-src blob:",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Adds a frame to the page, which nobody sees. It loads nothing; it waits for what comes through its port. */
export function openSandboxFrame(): SandboxFrame {
  const { port1, port2 } = new MessageChannel();
  const frame = document.createElement("iframe");
  frame.sandbox.add("allow-scripts");
  frame.hidden = true;
  frame.title = "Python sandbox";
  frame.srcdoc = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}"><script>${text}</script>`;
  // An opaque origin has no name, so the message can only be sent to any; the window it goes to is this frame's.
  frame.addEventListener("load", () => frame.contentWindow?.postMessage(null, "*", [port2]), { once: true });
  document.body.append(frame);
  return { port: port1, remove: () => frame.remove() };
}
