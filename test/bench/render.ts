export const render = (report: unknown, _o?: unknown) => `${JSON.stringify(report, undefined, 2)}\n`;
