import { after } from 'node:test';
import { kubeResources } from '../../functions/adapters/kube/resources.ts';
import { annotations } from '../../functions/core/api.ts';
import { createNamespace, realApi, removeNamespace, userOf } from '../support/kube/real-api.ts';
import { type ResourcesWorld, resourcesContract } from './resources.contract.ts';

const client = realApi();
after(() => client.close());

resourcesContract('real API server', async (): Promise<ResourcesWorld> => {
  const [a = '', b = '', c = ''] = await Promise.all([1, 2, 3].map(() => createNamespace(client)));
  const user = userOf(client);
  return {
    resources: kubeResources(client, [a, b]),
    namespaces: { a, b, c },
    apply: async (manifest) => void (await user.apply(manifest)),
    annotate: async (key, name, value) =>
      void (await user.patch(key, { metadata: { annotations: { [annotations[name]]: value } } })),
    delete: user.delete,
    setFinalizers: async (key, finalizers) => void (await user.patch(key, { metadata: { finalizers } })),
    addForeignCondition: user.addCondition,
    get: user.get,
    close: async () => {
      await Promise.all([a, b, c].map((namespace) => removeNamespace(client, namespace)));
    },
  };
});
