/** What the product has asked of an API server, as the server's audit log tells. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** `what`: verb, and the subresource if there is one; `name`: of the object, or what a list selects by, else empty. */
export type ApiCall = {
  readonly who: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly what: string;
};

type AuditEvent = {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly namespace?: string; readonly name?: string; readonly subresource?: string };
};

/** Requests of the product, in order. @param auditLog file of an API server */
export async function callsIn(auditLog: string): Promise<readonly ApiCall[]> {
  const calls: ApiCall[] = [];
  for await (const line of createInterface(createReadStream(auditLog))) {
    if (!line.includes('"topicsmith-')) continue;
    const { verb, requestURI, user, objectRef } = JSON.parse(line) as AuditEvent;
    if (!user.username.startsWith('topicsmith-') || user.username === 'topicsmith-admin') continue;
    const selected = new URL(requestURI, 'https://api').searchParams.get('fieldSelector')?.split('=')[1];
    calls.push({
      who: user.username,
      namespace: objectRef?.namespace,
      name: objectRef?.name ?? selected ?? '',
      what: [verb, objectRef?.subresource].filter((part) => part !== undefined).join(' '),
    });
  }
  return calls;
}
