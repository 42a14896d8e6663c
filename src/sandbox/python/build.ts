/** What scripts/build-python.mjs needs of this folder. */
export { framesAtStdin, makeSnapshot } from "./snapshot";
export {
  dropCustom,
  dropData,
  exportGlobal,
  initialPages,
  nameGlobal,
  PAGE,
  patchCode,
  setMemory,
  setStackPointer,
} from "./wasm-binary";
