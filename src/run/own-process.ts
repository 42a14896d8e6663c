/** What only a program that owns its process may do; the library, a guest in another's, leaves it. */
export { leaveOutDawnNotes } from "../platform/node/dawn-notes";
