import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Template } from '../../../infra/aws/template.ts';

export const goldenTemplateFile = join(import.meta.dirname, '..', '..', 'golden', 'aws.template.json.txt');

/** The template as `npm run package` makes it (`test/infra/aws/package.long.test.ts` holds it to that); a copy for each caller. */
export const goldenTemplate = (): Template => JSON.parse(readFileSync(goldenTemplateFile, 'utf8'));
