// Adds up the JSON reports of vitest runs, names what was skipped and why, and ends with one line of totals. A report that
// is not there, and a test file that failed before its first test, count as one failure each.
// Usage: ci-summary.ts REPORT…
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';

interface Report {
  readonly testResults: readonly TestFile[];
}

interface TestFile {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly Test[];
}

interface Test {
  readonly fullName: string;
  readonly status: string;
  readonly meta?: { readonly skipReason?: string };
}

const totals = { passed: 0, failed: 0, skipped: 0 };

for (const path of process.argv.slice(2)) await addReport(path);
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed === 0 ? 0 : 1;

async function addReport(path: string): Promise<void> {
  let report: Report;
  try {
    report = JSON.parse(await readFile(path, 'utf8')) as Report;
  } catch (error) {
    totals.failed++;
    console.log(`failed: no report ${path}: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  for (const file of report.testResults) addFile(file);
}

function addFile(file: TestFile): void {
  const where = relative(process.cwd(), file.name);
  for (const test of file.assertionResults) addTest(test, where);
  if (file.status !== 'failed' || file.assertionResults.some(({ status }) => status === 'failed')) return;
  totals.failed++;
  console.log(`failed: ${where}: ${file.message}`);
}

function addTest({ fullName, status, meta }: Test, where: string): void {
  if (status === 'passed') totals.passed++;
  else if (status === 'failed') {
    totals.failed++;
    console.log(`failed: ${where}: ${fullName}`);
  } else {
    totals.skipped++;
    console.log(`skipped: ${where}: ${fullName}: ${meta?.skipReason ?? 'its file printed why, above'}`);
  }
}
