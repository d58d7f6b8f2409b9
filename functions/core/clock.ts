/**
 * How far a server's clock is ahead of ours, about half a second exact: its Date header has whole seconds, cut off, so it
 * is in the middle of one on average.
 *
 * @param date the header, where there is one
 * @param sentAt when the request was sent, ms since 1970
 * @param answeredAt when its answer came
 * @returns ms; undefined for a server that tells no time
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.date
 */
export function clockSkewMs(date: string | undefined, sentAt: number, answeredAt: number): number | undefined {
  const skewMs = Date.parse(date ?? '') + 500 - (sentAt + answeredAt) / 2;
  return Number.isNaN(skewMs) ? undefined : skewMs;
}
