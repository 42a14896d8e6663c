import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  fetchReason,
  httpAddress,
  isTemporary,
  NotReady,
  RequestLimit,
  redacted,
  retryAfter,
  untilReady,
} from "../../src/base/http";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a server that is not ready", () => {
  const began = () => {
    const start = Date.now();
    const at: number[] = [];
    return { at, now: () => at.push(Date.now() - start) };
  };
  const giveUp = ({ message }: NotReady) => new Error(`given up: ${message}`);

  test("is asked again after waits that double up to a minute, or as late as it asks for", async () => {
    const { at, now } = began();
    const asking = untilReady(
      async () => {
        now();
        if (at.length < 4) throw new NotReady("busy", at.length === 2 ? 50_000 : 0);
        if (at.length < 5) throw new NotReady("busy", 3_600_000);
        return "done";
      },
      { tries: 9, firstWaitMs: 20_000 },
      giveUp,
    );
    await vi.runAllTimersAsync();
    expect(await asking).toBe("done");
    // 20 s; 50 s as asked for, above 40; the minute in place of 80 s; ten minutes in place of an hour.
    expect(at).toEqual([0, 20_000, 70_000, 130_000, 730_000]);
  });

  test("is given up rather than waited for beyond the deadline", async () => {
    const { at, now } = began();
    const asking = untilReady(
      async () => {
        now();
        throw new NotReady("busy");
      },
      { tries: 9, firstWaitMs: 1000, deadline: performance.now() + 5000 },
      giveUp,
    );
    const settled = expect(asking).rejects.toThrow("given up: busy");
    await vi.runAllTimersAsync();
    await settled;
    expect(at).toEqual([0, 1000, 3000]);
  });

  test("is given up after the last try, and another failure at once", async () => {
    let tries = 0;
    const asking = untilReady(
      async () => {
        throw new NotReady(`busy ${++tries}`);
      },
      { tries: 3, firstWaitMs: 1 },
      giveUp,
    );
    const settled = expect(asking).rejects.toThrow("given up: busy 3");
    await vi.runAllTimersAsync();
    await settled;
    const failing = untilReady(
      async () => {
        tries++;
        throw new RangeError("no");
      },
      { tries: 3, firstWaitMs: 1 },
      giveUp,
    );
    await expect(failing).rejects.toThrow(RangeError);
    expect(tries).toBe(4);
  });

  test("is not waited for after an abort", async () => {
    const stop = new AbortController();
    const busy = async () => {
      throw new NotReady("busy");
    };
    const asking = untilReady(busy, { tries: 3, firstWaitMs: 1000 }, giveUp, stop.signal);
    const settled = expect(asking).rejects.toMatchObject({ name: "AbortError" });
    await vi.advanceTimersByTimeAsync(10);
    stop.abort();
    await settled;
    expect(vi.getTimerCount()).toBe(0);
    await expect(untilReady(busy, { tries: 3, firstWaitMs: 1000 }, giveUp, stop.signal)).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the limit of a request", () => {
  test("ends a silent one and not a slow one", () => {
    const limit = new RequestLimit(100);
    for (let i = 0; i < 10; i++) {
      vi.advanceTimersByTime(99);
      expect(limit.signal.aborted).toBe(false);
      limit.alive();
    }
    vi.advanceTimersByTime(100);
    expect([limit.signal.aborted, limit.isLate]).toEqual([true, true]);
  });

  test("passes the caller's abort on, and leaves nothing behind", () => {
    const stop = new AbortController();
    const limit = new RequestLimit(100, stop.signal);
    const ended = new RequestLimit(100, stop.signal);
    ended.end();
    expect([ended.signal.aborted, ended.isLate]).toEqual([true, false]);
    stop.abort(new Error("enough"));
    expect([limit.signal.reason, limit.isLate]).toEqual([new Error("enough"), false]);
    limit.end();
    expect(vi.getTimerCount()).toBe(0);
    expect(new RequestLimit(100, stop.signal).signal.aborted).toBe(true);
  });
});

test("Retry-After: seconds or a date", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(retryAfter("3", now)).toBe(3000);
  expect(retryAfter("Thu, 01 Jan 2026 00:00:30 GMT", now)).toBe(30_000);
  expect(retryAfter("Thu, 01 Jan 2025 00:00:30 GMT", now)).toBe(0);
  expect(retryAfter("soon", now)).toBe(0);
  expect(retryAfter(null, now)).toBe(0);
});

test("statuses after which the same request may succeed", () => {
  expect([200, 302, 400, 401, 404, 408, 409, 425, 429, 500, 503].filter(isTemporary)).toEqual([
    408, 425, 429, 500, 503,
  ]);
});

test("addresses", () => {
  const address = (text: string, credentials?: string) => httpAddress(text, "--x", "http://a/b", credentials).href;
  expect(address("https://host:1/p")).toBe("https://host:1/p");
  for (const text of ["localhost:1", "host", "ftp://host", ""])
    expect(() => address(text)).toThrow(`--x ${text}: not an address; expected one such as http://a/b`);
  expect(() => address("http://me:word@host/p", "use the environment")).toThrow(
    /^--x at host: holds a name or password; use the environment$/,
  );
  expect(address("http://me:word@host/p")).toBe("http://me:word@host/p");
});

test("reasons and secrets", () => {
  expect(fetchReason(new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") }))).toBe("ECONNREFUSED");
  expect(fetchReason(new TypeError("fetch failed", { cause: new Error("") }))).toBe("fetch failed");
  expect(fetchReason("odd")).toBe("odd");
  expect([redacted("a key b", "key"), redacted("a key b", undefined)]).toEqual(["a [key] b", "a key b"]);
});
