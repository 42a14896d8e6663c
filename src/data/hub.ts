/** Addresses of the Hugging Face hub, and where its files lie in a cache. */
import type { HubFiles } from "./registry";

export const HUB_ENDPOINT = "https://huggingface.co";

/** A file to fetch: its address, and its place below the cache's folder. */
export interface HubFile {
  readonly url: URL;
  readonly cachePath: string;
}

/** Addresses of all files of a split. @param endpoint the hub or a mirror of it */
export function hubFiles({ repository, revision, files }: HubFiles, endpoint: string = HUB_ENDPOINT): HubFile[] {
  const encoded = (path: string) => path.split("/").map(encodeURIComponent).join("/");
  return files.map((file) => ({
    url: new URL(
      `${endpoint.replace(/\/+$/, "")}/datasets/${encoded(repository)}/resolve/${encodeURIComponent(revision)}/${encoded(file)}`,
    ),
    cachePath: `datasets/${repository.replaceAll("/", "--")}/${revision}/${file}`,
  }));
}
