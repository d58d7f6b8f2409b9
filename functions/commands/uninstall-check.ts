/** `topicsmith uninstall-check`: whether anything would be left that only Topicsmith can delete. The chart asks it first. */
import { finalizer, kind, plural } from '../core/api.ts';
import type { Key } from '../core/topic.ts';
import { type CommonOptions, examples, type Register, show, type Work } from './command.ts';
import { chosen } from './objects.ts';

export const register: Register = (program, run) => {
  program
    .command('uninstall-check')
    .summary('say whether Topicsmith can be uninstalled')
    .description(
      `Looks for objects that wait for Topicsmith when they are deleted: without it they could never go.\n\nExit code: 0 none, 1 there are some, or nobody could look.`,
    )
    .addHelpText('after', examples('topicsmith uninstall-check', 'topicsmith uninstall-check -o name'))
    .action(run(uninstallCheck));
};

const uninstallCheck: Work<CommonOptions> = async (shell, options) => {
  const kube = await shell.connect.kube({ ...options, allNamespaces: true });
  const held: Key[] = [];
  for await (const page of chosen(kube, [], {}, shell.signal))
    held.push(...page.filter(({ finalizers }) => finalizers.includes(finalizer)).map(({ key }) => key));
  await show(shell, options, { value: { held }, objects: held, text: () => textOf(held) });
  return held.length > 0 ? 1 : 0;
};

const shown = 10;

function textOf(held: readonly Key[]): string {
  if (held.length === 0) return 'Nothing waits for Topicsmith: it can be uninstalled.\n';
  const rows = held.slice(0, shown).map(({ namespace, name }) => `  ${namespace}/${name}`);
  const more = held.length > shown ? [`  and ${held.length - shown} more: topicsmith uninstall-check -o name`] : [];
  const retain = `'{"spec":{"deletionPolicy":"Retain"}}'`;
  const first = held[0] as Key;
  return [
    `${held.length} ${held.length === 1 ? `${kind} has` : `${kind}s have`} deletionPolicy Delete. Once Topicsmith is gone they cannot be deleted, nor can their namespaces:`,
    ...rows,
    ...more,
    'For each of them, while Topicsmith still runs, either',
    `  keep the topic:    kubectl patch ${plural} -n ${first.namespace} ${first.name} --type=merge -p ${retain}`,
    `  delete the topic:  kubectl delete ${plural} -n ${first.namespace} ${first.name}`,
    'then uninstall again. To leave them as they are: helm uninstall --no-hooks.',
    '',
  ].join('\n');
}
