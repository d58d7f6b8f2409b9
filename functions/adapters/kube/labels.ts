import type { Labels } from '../../core/resource.ts';
import { parseSelector } from '../../core/selector.ts';

/**
 * The label selector in `WATCH_LABEL_SELECTOR`; absent or empty selects everything.
 *
 * @throws Error one line that names the variable
 */
export function selectorIn(text = ''): (labels: Labels) => boolean {
  try {
    return parseSelector(text);
  } catch (error) {
    throw new Error(`WATCH_LABEL_SELECTOR: ${(error as Error).message}`);
  }
}
