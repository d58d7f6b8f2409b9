import { group, plural, version } from '../../functions/core/api.ts';
import { type ConfigRule, configRules, sizeRule } from '../../functions/core/schema/config.ts';
import { validatingPolicy } from './validating-policy.ts';

const name = `kafkatopic-config.${group}`;

/**
 * What the CRD cannot say about config values, as a ValidatingAdmissionPolicy and its binding.
 *
 * It looks only at edits of config: an object stored before these rules can still lose its finalizer or change its
 * `deletionPolicy`. All rules are about entries of config: without any there is nothing to look at.
 */
export const policy = (): object[] =>
  validatingPolicy(name, {
    matchConstraints: {
      resourceRules: [
        { apiGroups: [group], apiVersions: [version], resources: [plural], operations: ['CREATE', 'UPDATE'] },
      ],
    },
    matchConditions: [
      {
        name: 'config-edited',
        expression: `has(object.spec.config) && (oldObject == null || !has(oldObject.spec.config) || object.spec.config != oldObject.spec.config || ${ignoredEdited})`,
      },
    ],
    variables: [
      { name: 'config', expression: 'object.spec.config' },
      { name: 'ignored', expression: 'has(object.spec.ignoredConfigs) ? object.spec.ignoredConfigs : []' },
      ...configRules.map(({ name, cel }) => ({ name, expression: `variables.config.filter(k, ${ofEntry(cel)})` })),
    ],
    validations: [...configRules.map(validation), { expression: sizeRule.cel, message: sizeRule.message }],
  });

const validation = ({ name, message }: ConfigRule): object => ({
  expression: `size(variables.${name}) == 0`,
  messageExpression: `"spec.config." + variables.${name}[0] + ${JSON.stringify(`: ${message}`)}`,
  message: `spec.config: ${message}`,
});

/** CEL macros bind one variable, so the value `v` is written out. */
const ofEntry = (cel: string): string => cel.replace(/\bv\b/g, 'variables.config[k]');

const ignoredEdited =
  'has(object.spec.ignoredConfigs) != has(oldObject.spec.ignoredConfigs) || (has(object.spec.ignoredConfigs) && object.spec.ignoredConfigs != oldObject.spec.ignoredConfigs)';
