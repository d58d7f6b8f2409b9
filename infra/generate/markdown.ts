/** Pieces of generated pages. */

/** As it is typed. */
export const code = (text: string): string => `\`${text}\``;

/** A text that may stand in a table. */
export const cell = (text: string): string => text.replaceAll('|', '\\|');

/** A line of a table. */
export const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
