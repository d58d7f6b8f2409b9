/** Values as YAML; the package is loaded when somebody asks for it. */
import type { CreateNodeOptions, DocumentOptions, SchemaOptions, ToStringOptions } from 'yaml';
import { harmlessLines } from '../core/harmless.ts';

type Options = DocumentOptions & SchemaOptions & CreateNodeOptions & ToStringOptions;

/** One YAML document. Package `yaml` 2.9 leaves most characters that a terminal obeys as they are: here they are escapes. */
export async function yamlText(value: unknown, options: Options): Promise<string> {
  const { Document, visit } = await import('yaml');
  const document = new Document(value, options);
  visit(document, {
    Scalar(_, scalar) {
      // the only form that knows escapes
      if (typeof scalar.value === 'string' && harmlessLines(scalar.value) !== scalar.value)
        scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return harmlessLines(document.toString(options), asInYaml);
}

/** YAML knows no halves of characters, as JSON does. @see https://yaml.org/spec/1.2.2/#57-escaped-characters */
const asInYaml = (character: string): string => `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`;
