// SOURCE_DATE_EPOCH (reproducible-builds.org): the one time that a build may write down, given from outside.
import { AirgapError } from './errors.ts';

/** Seconds since 1970; undefined where it is not set. @param text the environment variable. @throws CONFIG_INVALID */
export function parseSourceDateEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^(?:0|[1-9][0-9]{0,15})$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new AirgapError('CONFIG_INVALID', `SOURCE_DATE_EPOCH is ${JSON.stringify(text.slice(0, 50))}`, {
    hint: 'Set it to whole seconds since 1970, for example "$(git log -1 --format=%ct)", or leave it unset.',
  });
}
