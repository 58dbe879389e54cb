// A process that takes signals as the program does, in one of three states: its thread is held ("held"), its work does not
// end when it should ("stuck"), or it does ("idle"). It says "ready" when it is.
import { holdThread } from '../../src/core/held-thread.ts';
import { interruptible } from '../../src/cli/signals.ts';

const signal = interruptible();
const state = process.argv[2];

function say(word: string): void {
  process.stdout.write(`${word}\n`);
}

if (state === 'held') {
  holdThread(() => {
    say('ready');
    for (;;);
  });
} else {
  setInterval(() => undefined, 1000);
  signal.addEventListener('abort', () => {
    say('aborted');
    if (state === 'idle') process.exit(130);
  });
  say('ready');
}
