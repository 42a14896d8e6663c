#!/usr/bin/env node
/**
 * `zerotir`. In a checkout, where sources may be newer than dist/, that is built first; in the published package
 * nothing is.
 */
import { existsSync } from "node:fs";

const checkout = new URL("../scripts/build.mjs", import.meta.url);
if (existsSync(checkout)) await (await import(checkout.href)).buildOutdated({ types: false });
await import("../dist/cli.js");
