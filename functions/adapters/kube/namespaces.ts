/**
 * The namespaces that `WATCH_NAMESPACES` lists, separated by commas: each once, however often it stands there. Listing
 * goes on from one to the next by name, so a second one of a name would never be left again.
 *
 * @returns empty for all namespaces
 */
export function namespacesIn(list = ''): readonly string[] {
  const names = list.split(',').map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ''))];
}
