import { at } from "../../base/must";
import { Errno } from "./abi";
import { type GuestAccess, type GuestCalls, GuestStop } from "./guest";

/** Arguments, environment, time, randomness and the end of the process. Sockets are refused. */
export function processCalls(host: GuestAccess): GuestCalls {
  const refused = () => Errno.NOTSUP;
  return {
    args_sizes_get: (count: number, size: number) => listSizes(host, host.guest.options.args, count, size),
    args_get: (pointers: number, buffer: number) => list(host, host.guest.options.args, pointers, buffer),
    environ_sizes_get: (count: number, size: number) => listSizes(host, host.guest.options.environment, count, size),
    environ_get: (pointers: number, buffer: number) => list(host, host.guest.options.environment, pointers, buffer),
    clock_res_get: (clock: number, result: number) => {
      if (clock >>> 0 > 3) return Errno.INVAL;
      host.memory.setU64(result, 1000n);
      return Errno.SUCCESS;
    },
    clock_time_get: (clock: number, _precision: bigint, result: number) => {
      if (clock >>> 0 > 3) return Errno.INVAL;
      host.memory.setU64(result, host.guest.clock.read(clock));
      return Errno.SUCCESS;
    },
    random_get: (pointer: number, length: number) => {
      host.guest.entropy.fill(host.memory.slice(pointer, length));
      return Errno.SUCCESS;
    },
    proc_exit: (code: number) => {
      throw new GuestStop("exit", code);
    },
    sched_yield: () => Errno.SUCCESS,
    poll_oneoff: (subscriptions: number, events: number, count: number, result: number) =>
      poll(host, subscriptions >>> 0, events >>> 0, count >>> 0, result),
    sock_accept: refused,
    sock_recv: refused,
    sock_send: refused,
    sock_shutdown: refused,
  };
}

function listSizes(host: GuestAccess, texts: readonly string[], count: number, size: number): number {
  host.memory.setU32(count, texts.length);
  host.memory.setU32(
    size,
    texts.reduce((sum, text) => sum + new TextEncoder().encode(text).length + 1, 0),
  );
  return Errno.SUCCESS;
}

function list(host: GuestAccess, texts: readonly string[], pointers: number, buffer: number): number {
  let at = buffer >>> 0;
  for (const [index, text] of texts.entries()) {
    const bytes = new TextEncoder().encode(`${text}\0`);
    host.memory.setU32((pointers >>> 0) + 4 * index, at);
    host.memory.slice(at, bytes.length).set(bytes);
    at += bytes.length;
  }
  return Errno.SUCCESS;
}

/** Files are always ready; a clock moves virtual time to its end and returns at once. */
function poll(host: GuestAccess, subscriptions: number, events: number, count: number, result: number): number {
  if (count === 0 || count > 1024) return Errno.INVAL;
  const { clock, options } = host.guest;
  const waits = Array.from({ length: count }, (_, index) => {
    const at = subscriptions + 48 * index;
    const type = host.memory.u8(at + 8);
    let delay = 0n;
    if (type === 0) {
      delay = host.memory.u64(at + 24);
      const absolute = (host.memory.u16(at + 40) & 1) !== 0;
      if (absolute) delay -= clock.peek(host.memory.u32(at + 16));
      if (delay < 0n) delay = 0n;
    }
    return { userdata: host.memory.u64(at), type, delay };
  });
  let first = at(waits, 0).delay;
  for (const { delay } of waits) if (delay < first) first = delay;
  clock.advance(first);
  if (clock.elapsedMs > options.timeoutMs) throw new GuestStop("timeout", 1);
  const ready = waits.filter((wait) => wait.delay === first);
  for (const [index, wait] of ready.entries()) {
    const at = events + 32 * index;
    host.memory.slice(at, 32).fill(0);
    host.memory.setU64(at, wait.userdata);
    host.memory.setU8(at + 10, wait.type);
  }
  host.memory.setU32(result, ready.length);
  return Errno.SUCCESS;
}
