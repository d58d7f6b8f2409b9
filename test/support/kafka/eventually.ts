import { setTimeout as delay } from 'node:timers/promises';

/**
 * Repeats assertions until they hold. Brokers apply what the controller has confirmed a moment later, so a look right
 * after a write may still show the time before.
 *
 * @throws the last assertion's error after `withinMs`
 */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 60_000): Promise<T> {
  for (const end = Date.now() + withinMs; ; await delay(20)) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}
