/** Options of a model behind an address. */
import * as z from "zod";
import { about, listOf } from "../option";

const name = z.string().min(1);

export const endpointFields = {
  endpoint: name
    .nullable()
    .default(null)
    .meta(about("Endpoint", "address of an OpenAI-compatible server, such as http://localhost:8000/v1")),
  endpointModel: listOf(name)
    .default([])
    .meta(about("Endpoint", "the server's names of the models to ask, separated by commas")),
  endpointApi: z
    .enum(["completions", "chat"])
    .default("completions")
    .meta(about("Endpoint", "completions goes on in one text; chat has messages, and outputs are the user's")),
  endpointKeyEnv: name
    .default("OPENAI_API_KEY")
    .meta(about("Endpoint", "environment variable that holds the key; no key is sent when it is empty")),
  endpointConcurrency: z.int().min(1).default(16).meta(about("Endpoint", "answers under way at once")),
  endpointRequestsPerMinute: z
    .number()
    .gt(0)
    .nullable()
    .default(null)
    .meta(about("Endpoint", "most requests in a minute; none: no limit")),
  endpointTimeout: z
    .number()
    .min(0.001)
    .max(3600)
    .default(120)
    .meta(about("Endpoint", "seconds without a sign of the server before a request is made again")),
  endpointRetries: z
    .int()
    .min(0)
    .default(6)
    .meta(about("Endpoint", "repetitions of a request that the server refused for now, left hanging or garbled")),
};
