/** The one class of the layers above the GPU for a mistake that the user can repair; leaves have their own of the same name, by which the command line knows them. */
export { UserError } from "../gpu/errors";
