import { parseResource } from '../../core/parse.ts';
import type { TopicResource } from '../../core/resource.ts';
import { type KubeClient, topicsPath } from './client.ts';
import { failureOf } from './failure.ts';

/**
 * Sets one annotation and touches nothing else, conditional on the object as it was read.
 *
 * @returns the object as it is now
 * @throws Failure `ObservationOutdated` when the object has changed since, or is another one of that name
 */
export async function annotate(
  client: KubeClient,
  { key, resourceVersion }: TopicResource,
  annotation: string,
  value: string,
  signal: AbortSignal,
): Promise<TopicResource> {
  const body = { metadata: { resourceVersion, annotations: { [annotation]: value } } };
  const options = { body, contentType: 'application/merge-patch+json', signal };
  try {
    return parseResource(await client.request('PATCH', topicsPath(key.namespace, key.name), options));
  } catch (error) {
    throw failureOf(error);
  }
}
