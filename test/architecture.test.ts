// The shape of the code base: which module may know which, and rules that no linter states. Offending files are named.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Module to the modules it may import from, itself aside. catalog, assemble and render are named by the design. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  oci: ['core'],
  signing: ['core'],
  registry: ['core', 'oci'],
  bundle: ['core', 'oci', 'registry', 'signing'],
  catalog: ['core', 'oci', 'bundle'],
  assemble: ['core', 'oci', 'bundle'],
  render: ['core', 'oci', 'bundle', 'catalog'],
  build: ['core', 'oci', 'registry', 'signing', 'bundle', 'catalog', 'assemble'],
  install: ['core', 'oci', 'registry', 'signing', 'bundle', 'catalog', 'render'],
  cli: ['core', 'oci', 'registry', 'signing', 'bundle', 'catalog', 'assemble', 'render', 'build', 'install'],
};

/** Packages that only some modules may use. */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  undici: ['registry'],
  'node:http': ['registry'],
  'node:https': ['registry'],
  bcryptjs: ['registry'],
  openpgp: ['build'],
  commander: ['cli'],
  inquirer: ['cli'],
  ora: ['cli'],
  'node:process': ['cli'],
  'node:child_process': ['core'],
};

interface Source {
  /** Path below the repository. */
  readonly path: string;
  readonly module: string;
  readonly file: ts.SourceFile;
  readonly imports: readonly string[];
  /** Those of `imports` that are loaded when something asks for them: import(), not `import … from`. */
  readonly later: readonly string[];
}

let sources: Source[];

beforeAll(async () => {
  const paths = (await readdir(join(ROOT, 'src'), { recursive: true })).filter((path) => path.endsWith('.ts'));
  sources = await Promise.all(paths.map((path) => load(`src/${path}`)));
});

async function load(path: string): Promise<Source> {
  const file = ts.createSourceFile(path, await readFile(join(ROOT, path), 'utf8'), ts.ScriptTarget.Latest, true);
  const imports: string[] = [];
  const later: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined;
    if (specifier && ts.isStringLiteral(specifier)) {
      imports.push(specifier.text);
      if (ts.isCallExpression(node)) later.push(specifier.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { path, module: path.split('/')[1] ?? '', file, imports, later };
}

/** The path below the repository that a relative import means. */
function target(source: Source, specifier: string): string {
  return relative(ROOT, resolve(ROOT, dirname(source.path), specifier));
}

describe('modules', () => {
  test('are those of the design', () => {
    expect(sources.filter(({ module }) => !(module in MAY_IMPORT)).map(({ path }) => path)).toEqual([]);
  });

  test('import only in the direction of the design, and nothing from tests or scripts', () => {
    const offences = sources.flatMap((source) =>
      source.imports
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => target(source, specifier))
        .filter((path) => {
          const [top, module = ''] = path.split('/');
          return top !== 'src' || (module !== source.module && !(MAY_IMPORT[source.module] ?? []).includes(module));
        })
        .map((path) => `${source.path} imports ${path}`),
    );
    expect(offences).toEqual([]);
  });

  test('use a package only where it belongs', () => {
    const offences = sources.flatMap((source) =>
      source.imports
        .filter((name) => ONLY_IN[name]?.includes(source.module) === false)
        .map((name) => `${source.path} imports ${name}`),
    );
    expect(offences).toEqual([]);
  });

  test('let the program start without what only some commands need', () => {
    const byPath = new Map(sources.map((source) => [source.path, source]));
    const atStart = new Set(['src/cli/main.ts']);
    const packages = new Set<string>();
    for (const path of atStart) {
      const source = byPath.get(path)!;
      for (const specifier of source.imports.filter((name) => !source.later.includes(name))) {
        if (specifier.startsWith('.')) atStart.add(target(source, specifier));
        else if (!specifier.startsWith('node:')) packages.add(specifier);
      }
    }
    expect([...packages]).toEqual(['commander']);
    expect([...atStart].filter((path) => !/^src\/(?:cli\/[^/]+|core\/.+)$/.test(path))).toEqual([]);
  });

  test('have no cycle between files', () => {
    const graph = new Map(
      sources.map((source) => [
        source.path,
        source.imports.filter((name) => name.startsWith('.')).map((name) => target(source, name)),
      ]),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      if (trail.includes(path) || done.has(path)) return;
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of graph.keys()) visit(path, []);
    expect(cycles).toEqual([]);
  });
});

describe('files', () => {
  test('have no default export, and open by saying what they own', () => {
    const defaults = sources.filter(({ file }) =>
      file.statements.some(
        (statement) =>
          ts.isExportAssignment(statement) ||
          (ts.canHaveModifiers(statement) &&
            ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)),
      ),
    );
    expect(defaults.map(({ path }) => path)).toEqual([]);
    const silent = sources.filter(
      ({ path, file }) => !path.startsWith('src/cli/commands/') && !file.text.startsWith('// '),
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test('outside src/cli do not read the process or print', () => {
    const offences = sources.filter(
      ({ module, file }) =>
        module !== 'cli' && /\b(?:process\.(?:env|argv|exit|cwd|std|pid|on)|console\.)/.test(withoutComments(file)),
    );
    expect(offences.map(({ path }) => path)).toEqual([]);
  });

  test('are finished', () => {
    expect(sources.filter(({ file }) => /\b(?:TODO|FIXME|XXX)\b/.test(file.text)).map(({ path }) => path)).toEqual([]);
  });
});

describe('the repository', () => {
  const read = async (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');
  const manifest = async () =>
    JSON.parse(await read('package.json')) as Record<
      'dependencies' | 'devDependencies' | 'optionalDependencies',
      Record<string, string>
    >;

  test('runs on the Node that package.json pins', async () => {
    const { optionalDependencies } = await manifest();
    const pinned = new Set(
      Object.entries(optionalDependencies)
        .filter(([name]) => name.startsWith('node-'))
        .map(([, version]) => `v${version}`),
    );
    expect([...pinned]).toEqual([process.version]);
    expect(process.version).toMatch(/^v24\./);
  });

  test('pins every dependency exactly', async () => {
    const { dependencies, devDependencies, optionalDependencies } = await manifest();
    const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
      ([, version]) => !/^(?:npm:[^ ]+@)?[0-9]+\.[0-9]+\.[0-9]+$/.test(version),
    );
    expect(loose).toEqual([]);
  });

  test('names no package registry: not in the lock file, not in .npmrc', async () => {
    expect(await read('package-lock.json')).not.toMatch(/"resolved"|registry\./);
    expect((await read('.npmrc')).trim()).toBe('omit-lockfile-registry-resolved=true');
  });
});

function withoutComments(file: ts.SourceFile): string {
  return file.text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
