import { describe } from "vitest";
import { OPS } from "../../kernels/ops";
import { testCases } from "./support";

describe.each(OPS)("$name", ({ cases }) => testCases(cases));
