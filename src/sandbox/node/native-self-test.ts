/** Before the native engine takes a call it tries to get out of itself; what it reaches is a reason not to start. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../base/errors";
import { DEFAULT_LIMITS, type PythonEngine } from "../engine";

/** Each attempt prints its name if it succeeds; the last line proves that all were made. */
function probes(canary: string, port: number): string {
  return `import os, socket, sys

def attempt(name, action):
    try:
        if action():
            print(name)
    except BaseException:
        pass

def reads(path):
    with open(path, "rb") as file:
        return file.read(1) is not None

def writes(path):
    with open(path, "wb") as file:
        return file.write(b"x")

def fills():
    for name in ("/tmp/a", "/tmp/b"):
        with open(name, "wb") as file:
            file.write(bytes(12 << 20))
    return True

def is_open(number):
    try:
        return os.fstat(number) is not None
    except OSError:
        return False

def forks():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return True

attempt("it reads files of this user", lambda: reads(${JSON.stringify(canary)}))
attempt("it reads /etc/passwd", lambda: reads("/etc/passwd"))
attempt("it sees other processes", lambda: os.listdir("/proc"))
attempt("it reaches the network of this machine", lambda: socket.create_connection(("127.0.0.1", ${port}), 1))
attempt("it has network devices", lambda: [name for _, name in socket.if_nameindex() if name != "lo"])
attempt("it sees the environment", lambda: "${MARK}" in os.environ)
for path in ("/x", "/usr/x", "/dev/x", "/dev/shm/x", os.path.join(sys.prefix, "x")):
    attempt("it writes to " + path, lambda: writes(path))
attempt("it fills the memory with files", fills)
attempt("it starts processes", forks)
attempt("it takes more memory than allowed", lambda: bytearray(1 << 30))
attempt("it has open files of another process", lambda: [number for number in range(3, 64) if is_open(number)])
attempt("it becomes the superuser", lambda: os.setuid(0) is None)
print("done")
`;
}

/** Set in this process's environment while the self-test runs. */
const MARK = "ZEROTIR_NATIVE_SELF_TEST";
const CALL = { ...DEFAULT_LIMITS, timeoutMs: 30_000, seed: "" };

/** @throws UserError with what the engine reaches, or why it does not run */
export async function selfTest(engine: PythonEngine): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "zerotir-native-"));
  const canary = join(folder, "canary");
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  const before = process.env[MARK];
  process.env[MARK] = "1";
  try {
    await writeFile(canary, "canary");
    // Permissions alone must not be what hides it.
    await chmod(folder, 0o755);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { status, stdout, stderr } = await engine.run({ ...CALL, code: probes(canary, port) });
    const lines = stdout.trim().split("\n");
    if (status !== "ok" || lines.pop() !== "done")
      throw new UserError(
        `--tool-engine native does not work here (${status}: ${lastLine(stderr)}); allow user namespaces to bubblewrap, or use --tool-engine wasi`,
      );
    const leaks = connections > 0 ? [...lines, "a connection came through"] : lines;
    if (leaks.length > 0)
      throw new UserError(
        `--tool-engine native is not isolated on this machine (${leaks.join("; ")}); use --tool-engine wasi`,
      );
  } finally {
    if (before === undefined) delete process.env[MARK];
    else process.env[MARK] = before;
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
