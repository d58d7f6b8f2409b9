// Loaded before a program: its clock, and that of whoever tells it deadlines, is wrong by CLOCK_SHIFT_MS.
const shift = Number(process.env.CLOCK_SHIFT_MS);
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RealDate.now() + shift] : args));
  }
  static now() {
    return RealDate.now() + shift;
  }
};

const on = process.on.bind(process);
const shifted = (message) => ('deadline' in message ? { ...message, deadline: message.deadline + shift } : message);
process.on = (event, listener) => on(event, event === 'message' ? (message) => listener(shifted(message)) : listener);
