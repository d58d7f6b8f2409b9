/** `topicsmith doctor`: what can be wrong between kubectl and brokers, looked at and explained. */
import type { Checked, Verdict } from '../doctor/check.ts';
import { examples, type Register, show, type Work } from './command.ts';

/** Longer than what any single question may take: connecting twice and asking. */
const checkWithinMs = 20_000;

export type DoctorSummary = Readonly<Record<Verdict, number>>;

export const register: Register = (program, run) => {
  program
    .command('doctor')
    .summary('look for what is wrong between kubectl and brokers')
    .description(
      'Looks at the API server, its definition of KafkaTopics, rights, queues, brokers, clocks and the forwarder, and says what to do about what is wrong. It changes nothing, and needs more rights than running does: what it may not see is not checked.\n\nExit code: 0 nothing is broken (there may be warnings), 1 something is.',
    )
    .addHelpText(
      'after',
      examples('topicsmith doctor', 'topicsmith doctor --context production', 'topicsmith doctor -o json'),
    )
    .action(run(doctor));
};

const doctor: Work<object> = async (shell, options) => {
  const { runChecks } = await import('../doctor/check.ts');
  const { checks } = await import('../doctor/list.ts');
  const { connect, signal } = shell;
  shell.progress('looking');
  const found = await runChecks(checks(connect.inspections(options), connect.installation), checkWithinMs, signal);
  shell.progress(undefined);
  signal.throwIfAborted();
  const summary = summaryOf(found);
  const { doctorText } = await import('./doctor-text.ts');
  await show(shell, options, {
    value: { checks: found, summary },
    objects: [],
    text: (style) => doctorText(found, summary, style),
  });
  return summary.failed > 0 ? 1 : 0;
};

function summaryOf(found: readonly Checked[]): DoctorSummary {
  const count = (wanted: Verdict): number => found.filter(({ verdict }) => verdict === wanted).length;
  return { ok: count('ok'), warning: count('warning'), failed: count('failed'), notChecked: count('notChecked') };
}
