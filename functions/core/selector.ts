import type { Labels } from './resource.ts';

type Requirement = (labels: Labels) => boolean;

/**
 * A label selector as kubectl's `-l` takes it: `team=a`, `team!=b`, `tier in (gold, silver)`, `tier notin (test)`, `team`,
 * `!team`, joined by commas. Empty selects everything. As everywhere in Kubernetes, `!=` and `notin` also take objects
 * without the label.
 *
 * @throws RangeError one line that quotes the part that is no requirement
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export function parseSelector(text: string): (labels: Labels) => boolean {
  const requirements = requirementsIn(text).map(parseRequirement);
  return (labels) => requirements.every((holds) => holds(labels));
}

/** Commas inside parentheses belong to a set. */
const requirementsIn = (text: string): readonly string[] =>
  text.trim() === '' ? [] : text.split(/,(?![^(]*\))/).map((part) => part.trim());

const name = '((?:[a-z0-9.-]{1,253}/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)';
const value = '((?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?)';
const present = new RegExp(`^(!?)\\s*${name}$`);
const equal = new RegExp(`^${name}\\s*(==?|!=)\\s*${value}$`);
const among = new RegExp(`^${name}\\s+(in|notin)\\s*\\(\\s*(${value}(?:\\s*,\\s*${value})*)\\s*\\)$`);

function parseRequirement(part: string): Requirement {
  const [, not, key = ''] = present.exec(part) ?? [];
  if (not !== undefined) return (labels) => labels.has(key) === (not === '');
  const [, label = '', operator, wanted = ''] = equal.exec(part) ?? [];
  if (operator !== undefined) return oneOf(label, [wanted], operator !== '!=');
  const [, setLabel = '', setOperator, set = ''] = among.exec(part) ?? [];
  if (setOperator !== undefined && set.trim() !== '')
    return oneOf(
      setLabel,
      set.split(',').map((entry) => entry.trim()),
      setOperator === 'in',
    );
  throw new RangeError(
    `"${part}" is not a requirement of a label selector, as in team=a,tier in (gold,silver),!legacy`,
  );
}

const oneOf =
  (label: string, values: readonly string[], wanted: boolean): Requirement =>
  (labels) => {
    const found = labels.get(label);
    return (found !== undefined && values.includes(found)) === wanted;
  };
