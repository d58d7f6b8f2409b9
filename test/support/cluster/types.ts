/** The parts of Kubernetes' objects that the tests of the chart look at. */

export type Env = {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
};

export type Probe = {
  readonly httpGet?: { readonly path: string; readonly port: string | number; readonly scheme?: string };
};

export type Container = {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly Env[];
  readonly envFrom?: readonly {
    readonly configMapRef?: { readonly name: string };
    readonly secretRef?: { readonly name: string };
  }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe?: Probe;
  readonly securityContext?: { readonly readOnlyRootFilesystem?: boolean };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[];
};

export type Volume = {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: {
    readonly secretName: string;
    readonly items?: readonly { readonly key: string; readonly path: string }[];
  };
  readonly persistentVolumeClaim?: { readonly claimName: string };
};

export type PodSpec = {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
};

export type PodTemplate = { readonly metadata: { readonly labels: Record<string, string> }; readonly spec: PodSpec };

export type Deployment = {
  readonly spec: { readonly template: PodTemplate; readonly strategy?: { readonly type?: string } };
};
export type Job = {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template: PodTemplate };
  readonly status?: { readonly conditions?: readonly unknown[] };
};
export type Service = {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly selector?: Record<string, string> };
};

/** Any object of a manifest. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly [field: string]: unknown;
};
