/** Parts of the README that are generated stand between `<!-- name -->` and `<!-- /name -->`; the rest is left alone. */

/**
 * @param parts name → Markdown, without line ends around it
 * @throws Error when the README lacks the markers of a part
 */
export const filled = (readme: string, parts: Readonly<Record<string, string>>): string =>
  Object.entries(parts).reduce((text, [name, part]) => replaced(text, name, part), readme);

function replaced(readme: string, name: string, part: string): string {
  const markers = { begin: `<!-- ${name} -->`, end: `<!-- /${name} -->` };
  const [begin, end] = [readme.indexOf(markers.begin), readme.indexOf(markers.end)];
  if (begin < 0 || end < begin) throw new Error(`README.md has to hold ${markers.begin} and then ${markers.end}`);
  return `${readme.slice(0, begin + markers.begin.length)}\n${part.trim()}\n${readme.slice(end)}`;
}
