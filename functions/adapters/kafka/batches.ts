import { maxRecordsPerRequest } from '../../core/refusals.ts';

/** Topics in one look: enough to share the round trip, few enough for an answer below about 1 MB. */
export const topicsPerLook = 500;

/** Long texts weigh too, 1,000 bytes like a record: a broker drops the connection at 100 MB. */
const bytesPerRecord = 1_000;

/** What texts add to a request's weight. */
export const weightOfTexts = (texts: Iterable<string>): number => {
  let bytes = 0;
  for (const text of texts) bytes += Buffer.byteLength(text);
  return Math.floor(bytes / bytesPerRecord);
};

/**
 * Cuts items into requests that the controller accepts, in the given order as far as that goes. Above the limit it
 * refuses every topic of the request, so the cut has to be made before.
 *
 * @param weigh the records of one item; a heavier one than a request may be gets a request of its own
 * @param rivalry items of the same rivalry never share a request
 */
export function batches<T>(items: Iterable<T>, weigh: (item: T) => number, rivalry?: (item: T) => string): T[][] {
  const open: { items: T[]; weight: number; rivalries: Set<string> }[] = [];
  for (const item of items) {
    const weight = weigh(item);
    const rival = rivalry?.(item) ?? '';
    const fitting = open.find(
      (batch) => batch.weight + weight <= maxRecordsPerRequest && !(rivalry && batch.rivalries.has(rival)),
    );
    if (fitting === undefined) {
      open.push({ items: [item], weight, rivalries: new Set([rival]) });
      continue;
    }
    fitting.items.push(item);
    fitting.weight += weight;
    fitting.rivalries.add(rival);
  }
  return open.map((batch) => batch.items);
}
