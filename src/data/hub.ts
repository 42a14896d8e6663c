/** Addresses of the Hugging Face hub, and where its files lie in a cache. */
import type { HubFiles } from "./registry";

export const HUB_ENDPOINT = "https://huggingface.co";

/** A file to fetch: its address, and its place below the cache's folder. */
export interface HubFile {
  readonly url: URL;
  readonly cachePath: string;
}

const encoded = (path: string) => path.split("/").map(encodeURIComponent).join("/");
const root = (endpoint: string) => endpoint.replace(/\/+$/, "");

/** Addresses of all files of a split. @param endpoint the hub or a mirror of it */
export function hubFiles({ repository, revision, files }: HubFiles, endpoint: string = HUB_ENDPOINT): HubFile[] {
  return files.map((file) => ({
    url: new URL(
      `${root(endpoint)}/datasets/${encoded(repository)}/resolve/${encodeURIComponent(revision)}/${encoded(file)}`,
    ),
    cachePath: `datasets/${repository.replaceAll("/", "--")}/${revision}/${file}`,
  }));
}

/** A repository of a model. @property revision a branch, tag or commit */
export interface HubModel {
  readonly repository: string;
  readonly revision: string;
}

/** What the hub says of a revision of a model: its commit and its files, as JSON. */
export function hubModelInfo({ repository, revision }: HubModel, endpoint: string): HubFile {
  return {
    url: new URL(`${root(endpoint)}/api/models/${encoded(repository)}/revision/${encodeURIComponent(revision)}`),
    cachePath: `models/${repository.replaceAll("/", "--")}/${encodeURIComponent(revision)}.json`,
  };
}

/** A file of a model at a commit. */
export function hubModelFile(repository: string, commit: string, file: string, endpoint: string): HubFile {
  return {
    url: new URL(`${root(endpoint)}/${encoded(repository)}/resolve/${commit}/${encoded(file)}`),
    cachePath: `models/${repository.replaceAll("/", "--")}/${commit}/${file}`,
  };
}
