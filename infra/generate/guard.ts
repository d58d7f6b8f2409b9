import { group, kind, plural } from '../../functions/core/api.ts';
import { validatingPolicy } from './validating-policy.ts';

const definition = `${plural}.${group}`;
const annotation = `${group}/allow-deletion`;

export const guardMessage = `deleting this definition deletes every ${kind}, and with those that have deletionPolicy Delete their topics and all records. Set deletionPolicy to Retain where topics shall stay, then allow it: kubectl annotate crd ${definition} ${annotation}=true`;

/** An uninstallation, or one wrong `kubectl delete -f`, takes the definition with it, and the definition all objects (K085). */
export const guardPolicy = (): object[] =>
  validatingPolicy(`kafkatopic-definition.${group}`, {
    matchConstraints: {
      resourceRules: [
        {
          apiGroups: ['apiextensions.k8s.io'],
          apiVersions: ['v1'],
          resources: ['customresourcedefinitions'],
          resourceNames: [definition],
          operations: ['DELETE'],
        },
      ],
    },
    validations: [
      {
        expression: `oldObject.metadata.?annotations[?"${annotation}"].orValue("") == "true"`,
        message: guardMessage,
      },
    ],
  });
