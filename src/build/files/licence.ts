// The licence file that Elastic sends to its customers: JSON with an object `license`. What is in that is for Elasticsearch
// to judge.
import { AirgapError } from '../../core/errors.ts';
import { isTable, valueAt } from '../kubernetes-yaml.ts';
import { SMALL_FILE_LIMIT, textOf, type FileContent } from './content.ts';

/** @throws CONFIG_INVALID for what is no licence file */
export async function checkLicence(content: FileContent): Promise<void> {
  if (content.descriptor.size > SMALL_FILE_LIMIT) throw notLicence(`it has ${content.descriptor.size} bytes`);
  const document = parse(await textOf(content, { limit: SMALL_FILE_LIMIT }));
  if (isTable(valueAt(document, ['license']))) return;
  throw notLicence('it has no object "license"');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notLicence('it is not JSON'); // whose message would show a part of the licence
  }
}

function notLicence(why: string): AirgapError {
  return new AirgapError('CONFIG_INVALID', `not a licence file of Elastic: ${why}`, {
    hint: 'Name the .json file that Elastic sent ({"license": {…}}) as "elastic.licence", as it is.',
  });
}
