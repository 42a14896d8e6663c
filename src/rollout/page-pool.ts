/**
 * The page pool of the KV cache, which paged attention calls a block manager: pages with reference counts, since the
 * samples of a group share their prompt's.
 */

/** KV pages with reference counts. The lowest free page is given first, so that equal requests get equal pages. */
export class PagePool {
  readonly #references: Uint32Array;
  #freePages: number;
  /** No page below this one is free. */
  #lowest = 0;

  constructor(pageCount: number) {
    this.#references = new Uint32Array(pageCount);
    this.#freePages = pageCount;
  }

  get free(): number {
    return this.#freePages;
  }

  get used(): number {
    return this.#references.length - this.#freePages;
  }

  /** `count` pages with one reference each, or none at all. */
  allocate(count: number): number[] | undefined {
    if (count > this.#freePages) return undefined;
    const pages: number[] = [];
    let page = this.#lowest;
    while (pages.length < count) {
      if (this.#references[page] === 0) {
        this.#references[page] = 1;
        pages.push(page);
      }
      page++;
    }
    if (count > 0) this.#lowest = page;
    this.#freePages -= count;
    return pages;
  }

  /** Adds a reference to each page. */
  retain(pages: readonly number[]): void {
    for (const page of pages) this.#references[page] = this.#count(page) + 1;
  }

  /** Takes a reference from each page; one without any becomes free. */
  release(pages: readonly number[]): void {
    for (const page of pages) {
      const left = this.#count(page) - 1;
      this.#references[page] = left;
      if (left > 0) continue;
      this.#freePages++;
      this.#lowest = Math.min(this.#lowest, page);
    }
  }

  #count(page: number): number {
    const count = this.#references[page];
    if (count === undefined || count === 0) throw new Error(`KV page ${page} is not in use`);
    return count;
  }
}

/** Pages that the samples of one group need. */
export interface PagePlan {
  /** Pages of the prompt but the last: one copy for the whole group. */
  shared: number;
  /** Pages of one sample in all, shared ones included. */
  total: number;
}

/**
 * Pages for a prompt and a completion of at most `completionLength` tokens; the last token's K/V are never needed. The
 * prompt's last page is not shared, even if it is full: each sample gets a copy, so that a page in which a sample
 * computes a row, be it the prompt's last one over again, is always its own.
 */
export function planPages(promptLength: number, completionLength: number, pageSize: number): PagePlan {
  return {
    shared: Math.floor((promptLength - 1) / pageSize),
    total: Math.ceil((promptLength + completionLength - 1) / pageSize),
  };
}
