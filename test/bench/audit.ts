/** Requests of the product at the API server, from the audit log: a JSON line per request, with the user who sent it. */
import { closeSync, createReadStream, fstatSync, openSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { identities } from '../../infra/local/apiserver.ts';

/** user → `patch kafkatopics/status` → how many */
export type RequestsByUser = Readonly<Record<string, Readonly<Record<string, number>>>>;

const ours = new Set<string>([identities.forwarder, identities.reconciler, identities.resync].map(({ user }) => user));

/** A place in the log. Keeps the file open, since the log may be rotated meanwhile. */
export class AuditMark {
  readonly #path: string;
  readonly #fd: number;
  readonly #from: number;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, 'r');
    this.#from = fstatSync(this.#fd).size;
  }

  /** Counts what was answered since the mark; watches, which are not answered, are left out. Can be asked once. */
  async requestsSince(): Promise<RequestsByUser> {
    const counts = new Map<string, Map<string, number>>();
    const isRotated = statSync(this.#path).ino !== fstatSync(this.#fd).ino;
    await count(createReadStream(this.#path, { fd: this.#fd, start: this.#from, autoClose: false }), counts);
    closeSync(this.#fd);
    if (isRotated) await count(createReadStream(this.#path), counts);
    return Object.fromEntries([...counts].map(([user, requests]) => [user, Object.fromEntries(requests)]));
  }
}

async function count(log: NodeJS.ReadableStream, counts: Map<string, Map<string, number>>): Promise<void> {
  for await (const line of createInterface({ input: log })) {
    const entry = JSON.parse(line);
    if (!ours.has(entry.user.username) || entry.stage !== 'ResponseComplete' || entry.verb === 'watch') continue;
    const requests = counts.get(entry.user.username) ?? new Map<string, number>();
    counts.set(entry.user.username, requests);
    const request = nameOf(entry);
    requests.set(request, (requests.get(request) ?? 0) + 1);
  }
}

type Entry = {
  readonly verb: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
};

/** Such as `patch kafkatopics/status`. */
const nameOf = ({ verb, objectRef }: Entry): string =>
  `${verb} ${[objectRef?.resource, objectRef?.subresource].filter((part) => part !== undefined).join('/')}`;
