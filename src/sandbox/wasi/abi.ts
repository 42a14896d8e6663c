/** Numbers of the WASI preview1 interface that the host uses (github.com/WebAssembly/WASI, legacy/preview1). */

export const Errno = {
  SUCCESS: 0,
  ACCES: 2,
  BADF: 8,
  EXIST: 20,
  FAULT: 21,
  FBIG: 22,
  ILSEQ: 25,
  INVAL: 28,
  ISDIR: 31,
  MFILE: 33,
  NAMETOOLONG: 37,
  NOENT: 44,
  NOSPC: 51,
  NOSYS: 52,
  NOTDIR: 54,
  NOTEMPTY: 55,
  NOTSUP: 58,
  SPIPE: 70,
  ROFS: 69,
  NOTCAPABLE: 76,
} as const;

export const FileType = { UNKNOWN: 0, DIRECTORY: 3, REGULAR: 4 } as const;

export const OpenFlag = { CREAT: 1, DIRECTORY: 2, EXCL: 4, TRUNC: 8 } as const;

export const FdFlag = { APPEND: 1 } as const;

export const Right = { FD_READ: 2n, FD_SEEK: 4n, FD_TELL: 32n, FD_WRITE: 64n } as const;

/** A failed WASI call; the host turns it into the errno that the guest sees. */
export class WasiError extends Error {
  readonly errno: number;
  constructor(errno: number) {
    super(`wasi errno ${errno}`);
    this.errno = errno;
  }
}
