/** T-Eval's scores of single answers (arXiv 2312.14033), each from 0 to 1. Pure. */

import { pythonText } from "./python-literal";

type Arguments = Readonly<Record<string, unknown>>;

/**
 * Instruct: the name and each right argument count alike. Values are compared as JSON. The form of the answer is scored
 * apart.
 */
export function instructScore(
  predicted: { readonly name: string; readonly args: Arguments },
  gold: { readonly name: string; readonly args: Arguments },
): number {
  const keys = Object.keys(gold.args);
  const equal = keys.filter((key) => JSON.stringify(predicted.args[key] ?? "") === JSON.stringify(gold.args[key]));
  return (Number(predicted.name === gold.name) + equal.length) / (keys.length + 1);
}

/** Retrieve, as text: the right name is in it, and no other `a.b` and no FinishAction. */
export function retrieveTextScore(text: string, gold: string): number {
  const named = [...text.matchAll(/\w+\.\w+|FinishAction/g)].map(([name]) => name);
  return Number(text.includes(gold) && named.every((name) => name === gold));
}

/** Understand, as JSON: the share of right arguments; without any in the right answer, whether there are none. */
export function understandScore(predicted: Arguments, gold: Arguments): number {
  const keys = Object.keys(gold);
  if (keys.length === 0) return Number(Object.keys(predicted).length === 0);
  const equal = keys.filter(
    (key) => Object.hasOwn(predicted, key) && pythonText(predicted[key]) === pythonText(gold[key]),
  );
  return equal.length / (keys.length + 1e-5);
}

/** Understand, as text: equal but for quotes around it. */
export function understandTextScore(text: string, gold: string): number {
  return Number(text.replace(/^'+|'+$/g, "").replace(/^"+|"+$/g, "") === gold);
}

/** Review: the letter A to E that begins what stands after the first colon, or the text where there is none. */
export function reviewScore(text: string, gold: string): number {
  const letter = /^[A-E]/.exec(text.slice(text.indexOf(":") + 1).trim())?.[0];
  return Number(letter === gold);
}
