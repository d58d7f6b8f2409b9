/** The pages that the forwarder serves about itself (`functions/adapters/status-page.ts`). */
import type { ForwarderHealth } from '../core/inspection.ts';
import { Failure } from '../core/outcome.ts';

const timeoutMs = 5_000;

/**
 * @param url where the pages are, `http://host:port`
 * @throws Failure when it does not answer, or is something else
 */
export async function forwarderHealth(url: string, signal: AbortSignal): Promise<ForwarderHealth> {
  const [ready, metrics] = await Promise.all([page(url, 'readyz', signal), page(url, 'metrics', signal)]);
  const figure = figuresIn(metrics.text);
  const objects = figure('objects');
  if (objects === undefined) throw failure(`what answers at ${url} is not the forwarder`);
  const lastTick = figure('last_tick_timestamp_seconds') ?? 0;
  return {
    problems: ready.ok ? [] : ready.text.split('\n').filter((line) => line !== ''),
    keysWaiting: figure('keys_waiting') ?? 0,
    objects,
    ...(lastTick > 0 && { lastTick: new Date(lastTick * 1000).toISOString() }),
  };
}

async function page(url: string, name: string, signal: AbortSignal): Promise<{ ok: boolean; text: string }> {
  try {
    const answer = await fetch(new URL(name, url.endsWith('/') ? url : `${url}/`), {
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    return { ok: answer.ok, text: await answer.text() };
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
    throw failure(`the forwarder cannot be reached at ${url}: ${cause?.code ?? cause?.message ?? message}`);
  }
}

const failure = (message: string): Failure => new Failure('InternalError', message, { retryable: true });

/** Figures without labels, by their name without our prefix. */
function figuresIn(text: string): (name: string) => number | undefined {
  const lines = text.matchAll(/^topicsmith_forwarder_(\w+) (\S+)$/gm);
  const figures = new Map([...lines].map(([, name = '', value]) => [name, Number(value)]));
  return (name) => figures.get(name);
}
