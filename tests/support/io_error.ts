/** The error of a disk or mount that does not answer. */

/** What Deno throws for EIO. */
export function ioError(): Error {
  return Object.assign(new Error("Input/output error (os error 5)"), {
    code: "EIO",
  });
}
