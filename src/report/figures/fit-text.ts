import type { CurveFit } from "../statistics/fit";

/** `logistic, R² 0.982`. */
export function bestFitText({ curve, rSquared }: CurveFit): string {
  return `${curve} fit, R² ${rSquared.toFixed(3)}`;
}
