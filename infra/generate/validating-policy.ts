const apiVersion = 'admissionregistration.k8s.io/v1';

/** A ValidatingAdmissionPolicy and its binding; what it refuses stands in the audit log too. @param bound what the binding says besides denying */
export const validatingPolicy = (name: string, spec: object, bound: object = {}): object[] => [
  { apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name }, spec: { failurePolicy: 'Fail', ...spec } },
  {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny', 'Audit'], ...bound },
  },
];
