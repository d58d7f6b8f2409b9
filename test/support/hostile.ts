/** Texts that try to be more than text. */

/** Ends a JSON string, begins a line of a log, clears the screen, sets a title, colours, turns text round, hides. */
export const hostile =
  'x"}\n{"level":"error","event":"forged"}\r\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e\u2066\u2028\u200b\u0000\u007fy';

/** Everything in it that acts, but for line ends of our own. */
export const acts = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]|\p{Cs}/u;

/** How a harmless form of {@link hostile} begins to show that it was there: an escape in JSON, in YAML. */
export const escaped = /\\(u001b|U0000001b|e)/;
