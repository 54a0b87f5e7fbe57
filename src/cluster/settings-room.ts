/**
 * How much of settings one decision may write: a decision is one entry of the store, which has a largest size, and a store that
 * cannot take a decision ends the controller. So what does not fit is refused before it is decided.
 */
import { ERROR } from '../wire/errors.ts';
import type { Refusal } from './decision.ts';
import { refusal } from './decision.ts';
import type { Configs } from './image.ts';

/** Of names and values. Written down a character takes seven bytes at most: far less than the 64 MiB of an entry. */
export const SETTINGS_CHARACTERS_MAX = 4 * 1024 * 1024;

export class SettingsRoom {
  #left = SETTINGS_CHARACTERS_MAX;

  /** Null when these settings of one resource have found room beside those before them. */
  take(configs: Configs): Refusal | null {
    let characters = 0;
    for (const [name, value] of configs) characters += name.length + value.length;
    if (characters <= this.#left) {
      this.#left -= characters;
      return null;
    }
    return refusal(
      ERROR.POLICY_VIOLATION,
      `One request may set ${SETTINGS_CHARACTERS_MAX} characters of settings; these do not fit any more.`,
    );
  }
}
