/** A rollout batch as a text, for the checkpoint of a run that samples ahead: it cannot be sampled again, since the weights that made it are gone. */
import type { Group } from "../session/collect";
import type { RolloutBatch } from "./rollout-batch";

/** Lists of numbers are named by their type, so that they come back as they were; every f32 is a double that JSON gives back exactly. */
const TYPED = { Uint32Array, Uint8Array, Float32Array } as const;
type TypedName = keyof typeof TYPED;

/** One line of JSON. */
export function writeBatch(batch: RolloutBatch): string {
  const { groups, kept, ...rest } = batch;
  const places = new Map(groups.map((group, index) => [group, index]));
  const text = JSON.stringify(
    { ...rest, groups, kept: kept.map((group) => places.get(group)) },
    (_, value: unknown) => {
      const name = typedName(value);
      return name === undefined ? value : { [name]: Array.from(value as Iterable<number>) };
    },
  );
  return `${text}\n`;
}

/** @throws SyntaxError when the text is cut */
export function readBatch(text: string): RolloutBatch {
  const { kept, ...rest }: Omit<RolloutBatch, "kept"> & { kept: readonly number[] } = JSON.parse(
    text,
    (_, value: unknown) => {
      if (typeof value !== "object" || value === null) return value;
      const [entry, ...others] = Object.entries(value);
      if (entry === undefined || others.length > 0 || !isTypedName(entry[0]) || !Array.isArray(entry[1])) return value;
      return TYPED[entry[0]].from(entry[1]);
    },
  );
  const groupAt = (index: number): Group[] => {
    const group = rest.groups[index];
    return group === undefined ? [] : [group];
  };
  return { ...rest, kept: kept.flatMap(groupAt) };
}

function typedName(value: unknown): TypedName | undefined {
  return Object.keys(TYPED)
    .filter(isTypedName)
    .find((name) => value instanceof TYPED[name]);
}

function isTypedName(name: string): name is TypedName {
  return Object.hasOwn(TYPED, name);
}
