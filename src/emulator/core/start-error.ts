/** A reason not to start that is the user's to change; its message is all that they need. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
