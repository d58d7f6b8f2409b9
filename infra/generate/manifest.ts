import { stringify } from 'yaml';

/**
 * Documents of a manifest as the text of a file.
 *
 * @param comment for people who read it; lines without `#`
 */
export function yaml(documents: readonly object[], comment: string): string {
  const head = comment
    .trimEnd()
    .replaceAll(/^(?=.)/gm, '# ')
    .replaceAll(/^$/gm, '#');
  return `${head}\n${documents.map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n')}`;
}
