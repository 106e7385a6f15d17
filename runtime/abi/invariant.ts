/** A bug of ours: a condition that no input can make false was false. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws an InvariantError unless `condition` holds. For our own mistakes only, never for a guest's or a user's. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
