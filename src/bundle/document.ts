// Reading the YAML documents that people write or review (airgap.yaml, the lock): strict, and with every fault of the
// file named at once, by path, expected and found.
import { CORE_SCHEMA, load, YAMLException } from 'js-yaml';
import * as v from 'valibot';
import { AirgapError } from '../core/errors.ts';

/** A document people write is never larger. */
export const DOCUMENT_LIMIT = 16 * 1024 * 1024;

const SHOWN_FAULTS = 10;

/**
 * Parses YAML 1.2 (core schema; no duplicate keys, no custom tags) of the given schema.
 * @param where names the file in messages
 * @throws CONFIG_INVALID with a line for each fault
 */
export function parseDocument<S extends v.GenericSchema>(schema: S, text: string, where: string): v.InferOutput<S> {
  const result = v.safeParse(schema, parseYaml(text, where));
  if (result.success) return result.output;
  const faults = result.issues.flatMap(expand).map(describe);
  const more = faults.length > SHOWN_FAULTS ? [`and ${faults.length - SHOWN_FAULTS} more`] : [];
  throw new AirgapError(
    'CONFIG_INVALID',
    `${where} is not valid: ${[...faults.slice(0, SHOWN_FAULTS), ...more].join('; ')}`,
    {
      details: { file: where, faults },
    },
  );
}

/** A key as people see it: what it is for, and what else editors show and docs list of it (JSON Schema keywords). */
export function described<S extends v.GenericSchema>(
  schema: S,
  description: string,
  more: Readonly<Record<string, unknown>> = {},
) {
  return v.pipe(schema, v.metadata({ description, ...more }));
}

function parseYaml(text: string, where: string): unknown {
  if (text.length > DOCUMENT_LIMIT)
    throw new AirgapError('CONFIG_INVALID', `${where} is larger than ${DOCUMENT_LIMIT} bytes`);
  try {
    return load(text, { schema: CORE_SCHEMA, filename: where });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark === undefined ? '' : `, line ${error.mark.line + 1}`;
    throw new AirgapError('CONFIG_INVALID', `${where}${line} is not YAML: ${error.reason}`, { cause: error });
  }
}

type Issue = v.BaseIssue<unknown>;

/** A union's own issue says only that nothing fitted; the faults inside the member that was meant say what is wrong. */
function expand(issue: Issue): { issue: Issue; path: readonly v.IssuePathItem[] }[] {
  const path = issue.path ?? [];
  const inner = issue.type === 'union' ? (issue.issues ?? []).filter((member) => member.path !== undefined) : [];
  if (inner.length === 0) return [{ issue, path }];
  return inner.flatMap(expand).map((fault) => ({ ...fault, path: [...path, ...fault.path] }));
}

function describe(fault: { issue: Issue; path: readonly v.IssuePathItem[] }): string {
  const { issue } = fault;
  const where =
    fault.path
      .map(({ key }, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`))
      .join('') || 'document';
  if (issue.expected === 'never') return `${where}: unknown key`;
  if (issue.type === 'raw_transform') return `${where}: ${issue.message}`;
  if (issue.received === 'undefined') return `${where}: expected ${issue.expected ?? 'a value'}, found nothing`;
  const found = withoutPassword(issue.received).slice(0, 100);
  return issue.kind === 'validation' || issue.type === 'custom'
    ? `${where}: ${found} ${issue.message}`
    : `${where}: expected ${issue.expected ?? 'another value'}, found ${found}`;
}

/** What was written may be an address with a password in it. */
function withoutPassword(text: string): string {
  return text.replace(/^("?(?:[a-z]+:\/\/)?)[^"]*:[^"]*@/, '$1***@');
}
