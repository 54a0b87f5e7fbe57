/**
 * Why a broker did not start, in one sentence that says what to do. It is shown as it stands, without a stack, so its
 * message names the setting, file or port that has to change.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
}
