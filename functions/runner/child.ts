/**
 * The process around a function, as Lambda's runtime is: loads the bundle, says it is ready, then answers one invocation
 * after the other. A rejection or exception that nobody handles ends it, as it does on Lambda.
 *
 * Arguments: the bundle's file, the export that is the handler.
 */
import { createRequire, enableCompileCache, flushCompileCache } from 'node:module';
import { dirname, join } from 'node:path';
import type { Context } from 'aws-lambda';

/** Runner → process. `deadline` in ms since the epoch. */
export type Invoke = { readonly requestId: string; readonly event: unknown; readonly deadline: number };
/** Process → runner. */
export type FromChild =
  | { readonly ready: true }
  | { readonly requestId: string; readonly value: unknown }
  | { readonly requestId: string; readonly error: string };

type Handler = (event: unknown, context: Context) => unknown;

const send = (message: FromChild): void => {
  process.send?.(message);
};

/** Loads the bundle, CommonJS or ESM. */
function load(bundle: string, name: string): Handler {
  const module = createRequire(bundle)(bundle) as Record<string, unknown>;
  const handler = module[name];
  if (typeof handler !== 'function') throw new Error(`${bundle} exports no function "${name}"`);
  return handler as Handler;
}

function contextOf({ requestId, deadline }: Invoke): Context {
  const functionName = process.env.AWS_LAMBDA_FUNCTION_NAME ?? '';
  const nothing = () => {};
  return {
    awsRequestId: requestId,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:${process.env.AWS_REGION}:000000000000:function:${functionName}`,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? '',
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: String(process.pid),
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: nothing,
    fail: nothing,
    succeed: nothing,
  };
}

async function answer(handler: Handler, invoke: Invoke): Promise<FromChild> {
  const { requestId } = invoke;
  try {
    return { requestId, value: (await handler(invoke.event, contextOf(invoke))) ?? null };
  } catch (error) {
    return { requestId, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

let kept = false;

/** Once the first invocation has compiled what it needs, for the processes that follow: at their end they are killed. */
function keepCompiled(): void {
  if (!kept) flushCompileCache();
  kept = true;
}

function main(): void {
  // a signal to the whole process group is the runner's to answer: it lets invocations finish
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  const [bundle = '', name = ''] = process.argv.slice(2);
  enableCompileCache(join(dirname(bundle), '.compile-cache'));
  const handler = load(bundle, name);
  process.on('message', async (invoke: Invoke) => {
    send(await answer(handler, invoke));
    keepCompiled();
  });
  process.on('disconnect', () => process.exit());
  send({ ready: true });
}

try {
  main();
} catch (error) {
  process.stderr.write(`the function did not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
