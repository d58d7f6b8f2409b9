import { fakeResources } from '../support/kube/fake-resources.ts';
import { type ResourcesWorld, resourcesContract } from './resources.contract.ts';

resourcesContract('in memory', async (): Promise<ResourcesWorld> => {
  const resources = fakeResources({ namespaces: ['a', 'b'] });
  const { objects } = resources;
  return {
    resources,
    namespaces: { a: 'a', b: 'b', c: 'c' },
    apply: async (manifest) => void objects.apply(manifest),
    annotate: async (key, annotation, value) => objects.annotate(key, annotation, value),
    delete: async (key) => objects.delete(key),
    setFinalizers: async (key, finalizers) =>
      void objects.change(key, (object) => ({ ...object, metadata: { ...object.metadata, finalizers } })),
    addForeignCondition: async (key, type) =>
      void objects.change(key, ({ status = {}, ...object }) => {
        const conditions = [...((status.conditions as unknown[]) ?? []), { type, status: 'True' }];
        return { ...object, status: { ...status, conditions } };
      }),
    get: async (key) => objects.get(key),
    close: async () => {},
  };
});
