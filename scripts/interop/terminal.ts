// The program under test in a real terminal, which tmux keeps: keys go in, what stands on the screen comes out.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { airgapCommand, privateFolders } from './airgap.ts';
import { output, run } from './process.ts';

export interface Terminal {
  /** Waits until the screen shows a text, by polling; answers the screen. @throws Error with it after 30 s */
  shows(text: string): Promise<string>;
  /** Keys by their names in tmux (`Enter`, `C-c`, `Down`, `Space`), and anything else as it is. */
  type(...keys: readonly string[]): Promise<void>;
  /** Waits until the command has ended; answers its exit status. */
  ended(): Promise<number>;
  close(): Promise<void>;
}

/** Says the status in a file: tmux now and then misses that what it runs has ended, and keeps a zombie. */
const RUN = '"$@"; echo $? > "$0.part" && mv "$0.part" "$0"';

/** Runs one command of the program in a folder, in a terminal of 120 by 50. */
export async function openTerminal(folder: string, args: readonly string[]): Promise<Terminal> {
  const socket = ['-S', join(folder, 'tmux'), '-f', '/dev/null', '-u'];
  const status = join(folder, 'status');
  const env = { ...privateFolders(folder), LC_ALL: 'C.UTF-8' };
  const tmux = (...command: string[]): Promise<string> =>
    output('tmux', [...socket, ...command], { cwd: folder, bare: true, env });
  // what has ended stays to be read
  const keep = ['start-server', ';', 'set-option', '-g', 'remain-on-exit', 'on', ';'];
  const size = ['-x', '120', '-y', '50', '-c', folder];
  await tmux(...keep, 'new-session', '-d', ...size, 'sh', '-c', RUN, status, ...airgapCommand(), ...args);
  const screen = (): Promise<string> => tmux('capture-pane', '-p', '-J');
  return {
    shows: async (text) => {
      const look = async (): Promise<readonly [boolean, string]> => {
        const seen = await screen();
        return [seen.includes(text), seen];
      };
      return until(look, `show "${text}"`);
    },
    type: async (...keys) => {
      await tmux('send-keys', ...keys);
    },
    ended: async () => {
      await until(async () => [existsSync(status), await screen()], 'end');
      return Number(await readFile(status, 'utf8'));
    },
    close: async () => {
      await run('tmux', [...socket, 'kill-server'], { mayFail: true });
    },
  };
}

/** Asks until the answer is yes; answers, or complains with, what was seen. */
async function until(look: () => Promise<readonly [boolean, string]>, what: string): Promise<string> {
  for (let waited = 0; ; waited += 50) {
    const [yes, seen] = await look();
    if (yes) return seen;
    if (waited >= 30_000) throw new Error(`the terminal did not ${what} within 30 s\n${seen}`);
    await delay(50);
  }
}
