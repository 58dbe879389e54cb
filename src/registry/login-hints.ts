// What a user can do when a server does not let us in, by the options of this program.
import type { ServerKind } from './endpoint.ts';

export interface LoginHints {
  /** There are no credentials. */
  readonly wanted: string;
  /** Those that there are do not help. */
  readonly refused: string;
  /** There is only a token, where name and password are wanted. */
  readonly password: string;
  /** What is wanted is nothing that we have. */
  readonly schemes: string;
}

export function loginHints(host: string, server: ServerKind): LoginHints {
  return server === 'registry' ? registryHints(host) : webHints(host);
}

function registryHints(host: string): LoginHints {
  const login =
    '"load" takes --username NAME with --password-stdin; every command takes --authfile, a file that holds the account';
  return {
    wanted: `Give an account of ${host}: ${login}. The name of an image that does not exist can also be the reason.`,
    refused: `Check name and password for ${host}, and that the account may use this repository: ${login}; where the registry needs no account, give none.`,
    password: `Give user name and password of ${host}: ${login}.`,
    schemes: 'Basic and Bearer are supported.',
  };
}

function webHints(host: string): LoginHints {
  const entry = `"${host}" in "auths" of the credentials file (--authfile, or Docker's)`;
  return {
    wanted: `Put user name and password under ${entry}.`,
    refused: `Correct ${entry}, and check that the account may read this; where no account is needed, remove it.`,
    password: `Put user name and password under ${entry}.`,
    schemes: 'Basic is supported, and a token that is under "registrytoken" in the credentials file.',
  };
}
