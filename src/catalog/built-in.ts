// The built-in catalogue: its components, and the tables of what works together (README.md of cloud-on-k8s at v2.16.0 …
// v3.5.0; the image in internal/stackdiag.go of eck-diagnostics at 1.3.0 … 1.11.0).
import { builtInComponents } from './built-in-components.ts';
import type { Catalogue, EckRelease } from './components.ts';
import { signingKeys, stackChartVersions } from './files.ts';

const eckReleases: readonly EckRelease[] = [
  release('2.16.0', '2.16.1', ['1.27', '1.31'], ['4.12', '4.17']),
  release('2.16.1', '3.0.0', ['1.27', '1.32'], ['4.12', '4.17']),
  release('3.0.0', '3.1.0', ['1.28', '1.32'], ['4.14', '4.18']),
  release('3.1.0', '3.2.0', ['1.29', '1.33'], ['4.15', '4.19']),
  release('3.2.0', '3.3.0', ['1.30', '1.34'], ['4.15', '4.19']),
  release('3.3.0', '3.4.0', ['1.31', '1.35'], ['4.16', '4.20']),
  release('3.4.0', '3.4.1', ['1.31', '1.35'], ['4.16', '4.21']),
  release('3.4.1', '3.5.0', ['1.31', '1.36'], ['4.16', '4.22']),
  release('3.5.0', '3.6.0', ['1.32', '1.36'], ['4.16', '4.22']),
];

type Ends = readonly [from: string, to: string];

function release(from: string, until: string, kubernetes: Ends, openshift: Ends): EckRelease {
  return {
    eck: { from, until },
    kubernetes: { from: kubernetes[0], to: kubernetes[1] },
    openshift: { from: openshift[0], to: openshift[1] },
  };
}

export const builtInCatalogue: Catalogue = {
  components: builtInComponents,
  eckReleases,
  stackLines: ['6.8', '7.17', '8.19', '9.5'],
  stackReleases: ['9.5.2', '9.4.5', '9.3.8', '9.2.8', '9.1.10', '9.0.8', '8.19.20'],
  diagnostics: [
    { eckDiagnostics: { from: '1.3.0', until: '1.5.2' }, supportDiagnostics: '8.4.0' },
    { eckDiagnostics: { from: '1.5.2', until: '1.6.0' }, supportDiagnostics: '8.4.3' },
    { eckDiagnostics: { from: '1.6.0', until: '1.8.2' }, supportDiagnostics: '8.5.0' },
    { eckDiagnostics: { from: '1.8.2', until: '1.8.3' }, supportDiagnostics: '9.1.0' },
    { eckDiagnostics: { from: '1.8.3' }, supportDiagnostics: '9.3.1' },
  ],
  signingKeys,
  stackCharts: stackChartVersions,
};
