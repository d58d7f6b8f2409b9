import type { Installation } from './core/installation.ts';
import type { NameOf, Settings } from './settings/table.ts';

/** The settings that make an installation what it is. */
export const installationNames = [
  'KAFKA_CLUSTER_ID',
  'APPROVAL_REQUIRED',
  'REASSIGNMENT_BYTES_PER_SECOND',
  'WATCH_LABEL_SELECTOR',
] as const satisfies readonly NameOf<'cli'>[];

/** What is set once for all objects, by the settings that say it. */
export const installationOf = (settings: Settings<'cli', (typeof installationNames)[number]>): Installation => ({
  clusterId: settings.KAFKA_CLUSTER_ID,
  approvals: settings.APPROVAL_REQUIRED,
  moveBytesPerSecond: settings.REASSIGNMENT_BYTES_PER_SECOND,
  selects: settings.WATCH_LABEL_SELECTOR,
});
