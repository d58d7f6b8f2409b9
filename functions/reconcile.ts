/** The function behind `reconcile.fifo`: names in, settled messages out. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { fifoHandler } from './batch.ts';
import { reconcile } from './core/reconciler.ts';
import { parseRequest, type Request } from './core/request.ts';
import { keyOf } from './core/topic.ts';
import { functionSettings, type Runtime, runtimeOf } from './runtime.ts';
import type { Env } from './settings/read.ts';

/** The handler over given parts. Never rejects; what was not settled is reported as failed. */
export const reconcileHandler = ({ ports, ...batch }: Runtime) =>
  fifoHandler<Request>({
    ...batch,
    name: 'reconcile',
    now: () => ports.now().getTime(),
    parse: parseRequest,
    keyOf,
    work: (items, signal, reporting) => {
      const named = items.map(({ value: { namespace, name, trigger, id }, ...rest }) => {
        const { groups, lastReceive, messageIds, requestId } = rest;
        return { key: { namespace, name }, groups, lastReceive, trigger, id, messageIds, requestId };
      });
      return reconcile(named, ports, signal, reporting);
    },
  });

let warm: ReturnType<typeof reconcileHandler> | undefined;

/** The parts of this function as `env` says. @throws SettingsError with everything that is wrong */
function reconcileRuntime(env: Env): Runtime {
  const settings = functionSettings(env, 'reconcile');
  return runtimeOf(settings, settings.RECONCILE_QUEUE_URL);
}

/** What Lambda calls. @throws SettingsError when the environment is not as it has to be: the whole batch comes back */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  warm ??= reconcileHandler(reconcileRuntime(process.env));
  return warm(event, context);
}
