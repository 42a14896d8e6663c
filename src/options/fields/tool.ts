/** The Python tool and its limits. */
import * as z from "zod";
import { engineNames } from "../../sandbox/engine";
import { policyNames } from "../../sandbox/policies";
import { about } from "../option";

/** The Python tool and its limits. */
export const toolFields = {
  maxToolCalls: z
    .int()
    .min(0)
    .default(2)
    .meta(about("Tool", "Python blocks run per trajectory (N_max); 0 for no tool")),
  toolTimeout: z.number().min(0.001).max(3600).default(10).meta(about("Tool", "seconds of wall clock per block")),
  toolMemoryMb: z.int().min(32).max(4096).default(256).meta(about("Tool", "memory of one interpreter, in MiB")),
  maxToolResponseTokens: z
    .int()
    .min(1)
    .default(256)
    .meta(about("Tool", "policy zerotir: a longer output is replaced by a notice")),
  toolEngine: z
    .enum(engineNames)
    .default("wasi")
    .meta(about("Tool", "where Python runs: shipped sandbox, service at --tool-url, bubblewrap, nowhere")),
  toolUrl: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Tool", "engine http: address of a service that speaks SandboxFusion's protocol")),
  toolPackages: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(about("Tool", "engine wasi: folder or zip of pure Python packages, imported before each block")),
  toolPolicy: z
    .enum(policyNames)
    .default("zerotir")
    .meta(about("Tool", "how an output is cut and framed; but for zerotir, each has limits of its own")),
};
