// The components of the built-in catalogue. Repositories and suffixes follow Elastic's packaging files and Iron Bank's
// manifests; supported versions README.md and pkg/controller/common/version of cloud-on-k8s at v2.16.0 … v3.5.0.
import type { Component, SuffixRule, SupportRule } from './components.ts';
import type { EckImage } from './image-name.ts';

/** 9.x images are UBI by default, and have no suffix. */
const UBI: readonly SuffixRule[] = [
  { versions: { from: '7.10.0', until: '7.17.16' }, suffix: '-ubi8' },
  { versions: { from: '7.17.16', until: '8.0.0' }, suffix: '-ubi' },
  { versions: { from: '8.0.0', until: '8.12.0' }, suffix: '-ubi8' },
  { versions: { from: '8.12.0', until: '9.0.0' }, suffix: '-ubi' },
  { versions: { from: '9.0.0' }, suffix: '' },
];

function wolfiSince(from: string): readonly SuffixRule[] {
  return [{ versions: { from }, suffix: '-wolfi' }];
}

/** Wolfi without saying so in the name. */
const WOLFI_ANYWAY: readonly SuffixRule[] = [{ suffix: '' }];

const BEFORE_9 = { until: '9.0.0' };

/** ECK up to 3.5 refuses 10.x; what is said of a later ECK has no end. */
function sinceEck(eck: string, first: string): readonly SupportRule[] {
  return [
    { eck: { from: eck, until: '3.6.0' }, versions: { from: first, until: '10.0.0' } },
    { eck: { from: '3.6.0' }, versions: { from: first } },
  ];
}

/** `first` of ECK 2.16, then what most components have in common. */
function support(first: string): readonly SupportRule[] {
  return [
    { eck: { from: '2.16.0', until: '3.0.0' }, versions: { from: first, ...BEFORE_9 } },
    { eck: { from: '3.0.0', until: '3.3.0' }, versions: { from: '7.17.0', until: '10.0.0' } },
    ...sinceEck('3.3.0', '8.0.0'),
  ];
}

/** Earlier versions do not write their logs to disk. */
const MONITORED = { from: '7.14.0' };

const BEAT = 'beat.k8s.elastic.co/v1beta1';

function beat(name: EckImage, title: string, more: Partial<Component> = {}): Component {
  return {
    name,
    title,
    follows: 'stack',
    repositories: [{ repository: `beats/${name}` }],
    suffixes: { ubi: UBI, wolfi: wolfiSince('8.16.0') },
    resource: { kind: 'Beat', apiVersion: BEAT, image: name, monitored: MONITORED },
    support: support('7.0.0'),
    ironBank: `elastic/beats/${name}`,
    ...more,
  };
}

function agent(name: string, title: string): Component {
  return {
    name,
    title,
    follows: 'stack',
    repositories: [
      { versions: BEFORE_9, repository: 'beats/elastic-agent' },
      { repository: 'elastic-agent/elastic-agent' },
    ],
    suffixes: { ubi: UBI, wolfi: wolfiSince('8.16.0') },
    resource: { kind: 'Agent', apiVersion: 'agent.k8s.elastic.co/v1alpha1', image: 'elastic-agent' },
    support: support(name === 'fleet-server' ? '7.14.0' : '7.10.0'),
    ironBank: 'elastic/beats/elastic-agent',
  };
}

export const builtInComponents: readonly Component[] = [
  {
    name: 'eck-operator',
    title: 'ECK operator',
    follows: 'eck',
    repositories: [{ repository: 'eck/eck-operator' }],
    suffixes: {
      ubi: [{ suffix: '-ubi' }],
      wolfi: WOLFI_ANYWAY,
      fips: [{ suffix: '-fips' }],
      'ubi-fips': [{ suffix: '-ubi-fips' }],
    },
    ironBank: 'elastic/eck-operator/eck-operator',
  },
  {
    name: 'elasticsearch',
    title: 'Elasticsearch',
    follows: 'stack',
    repositories: [{ repository: 'elasticsearch/elasticsearch' }],
    suffixes: { ubi: UBI, wolfi: wolfiSince('8.16.0') },
    resource: {
      kind: 'Elasticsearch',
      apiVersion: 'elasticsearch.k8s.elastic.co/v1',
      image: 'elasticsearch',
      monitored: MONITORED,
    },
    support: support('6.8.0'),
    ironBank: 'elastic/elasticsearch/elasticsearch',
  },
  {
    name: 'kibana',
    title: 'Kibana',
    follows: 'stack',
    repositories: [{ repository: 'kibana/kibana' }],
    suffixes: { ubi: UBI, wolfi: wolfiSince('8.16.0') },
    resource: { kind: 'Kibana', apiVersion: 'kibana.k8s.elastic.co/v1', image: 'kibana', monitored: MONITORED },
    support: support('6.8.0'),
    ironBank: 'elastic/kibana/kibana',
  },
  {
    name: 'apm-server',
    title: 'APM Server',
    follows: 'stack',
    repositories: [{ repository: 'apm/apm-server' }],
    suffixes: { ubi: UBI, wolfi: wolfiSince('8.15.0') },
    resource: { kind: 'ApmServer', apiVersion: 'apm.k8s.elastic.co/v1', image: 'apm-server' },
    support: support('6.8.0'),
    ironBank: 'elastic/apm-server/apm-server',
  },
  agent('elastic-agent', 'Elastic Agent'),
  agent('fleet-server', 'Fleet Server'),
  beat('filebeat', 'Filebeat'),
  beat('metricbeat', 'Metricbeat'),
  beat('heartbeat', 'Heartbeat'),
  beat('auditbeat', 'Auditbeat'),
  beat('packetbeat', 'Packetbeat'),
  beat('journalbeat', 'Journalbeat', {
    support: [{ eck: { from: '2.16.0', until: '3.0.0' }, versions: { from: '7.0.0', until: '7.16.0' } }],
  }),
  {
    name: 'logstash',
    title: 'Logstash',
    follows: 'stack',
    repositories: [{ repository: 'logstash/logstash' }],
    suffixes: { ubi: UBI, wolfi: wolfiSince('8.15.0') },
    resource: {
      kind: 'Logstash',
      apiVersion: 'logstash.k8s.elastic.co/v1alpha1',
      image: 'logstash',
      monitored: MONITORED,
    },
    support: [
      { eck: { from: '2.16.0', until: '3.0.0' }, versions: { from: '8.12.0', ...BEFORE_9 } },
      ...sinceEck('3.0.0', '8.12.0'),
    ],
    ironBank: 'elastic/logstash/logstash',
  },
  {
    name: 'maps-server',
    title: 'Elastic Maps Server',
    follows: 'stack',
    repositories: [{ repository: 'elastic-maps-service/elastic-maps-server' }],
    suffixes: {
      default: [{ versions: { from: '8.16.0' }, suffix: '' }, ...UBI],
      ubi: UBI,
      wolfi: [{ versions: { from: '8.16.0' }, suffix: '' }],
    },
    platforms: [{ versions: { until: '8.16.0' }, platforms: ['linux/amd64'] }],
    resource: { kind: 'ElasticMapsServer', apiVersion: 'maps.k8s.elastic.co/v1alpha1', image: 'maps-server' },
    support: support('7.11.0'),
    note: 'Maps Server answers only with an Enterprise licence',
  },
  {
    name: 'enterprise-search',
    title: 'Enterprise Search',
    follows: 'stack',
    repositories: [{ repository: 'enterprise-search/enterprise-search' }],
    suffixes: { ubi: UBI, wolfi: WOLFI_ANYWAY },
    resource: {
      kind: 'EnterpriseSearch',
      apiVersion: 'enterprisesearch.k8s.elastic.co/v1',
      image: 'enterprise-search',
    },
    support: [
      { eck: { from: '2.16.0', until: '3.3.0' }, versions: { from: '7.7.0', ...BEFORE_9 } },
      { eck: { from: '3.3.0' }, versions: { from: '8.0.0', ...BEFORE_9 } },
    ],
  },
  {
    name: 'package-registry',
    title: 'Elastic Package Registry, packages included',
    follows: 'stack',
    repositories: [{ repository: 'package-registry/distribution' }],
    suffixes: { ubi: [{ tagSuffix: '-ubi' }], wolfi: WOLFI_ANYWAY },
    resource: {
      kind: 'PackageRegistry',
      apiVersion: 'packageregistry.k8s.elastic.co/v1alpha1',
      image: 'package-registry',
    },
    support: sinceEck('3.3.0', '8.0.0'),
    standalone: true,
  },
  {
    name: 'autoops-agent',
    title: 'AutoOps agent',
    follows: 'stack',
    repositories: [{ repository: 'elastic-agent/elastic-otel-collector-wolfi' }],
    suffixes: { wolfi: WOLFI_ANYWAY },
    resource: { kind: 'AutoOpsAgentPolicy', apiVersion: 'autoops.k8s.elastic.co/v1alpha1', image: 'autoops-agent' },
    support: sinceEck('3.3.0', '9.2.1'),
    note: 'the AutoOps agent reports to Elastic Cloud: without a way out it does nothing',
  },
  {
    name: 'otel-collector',
    title: 'EDOT collector',
    follows: 'stack',
    repositories: [{ versions: { from: '9.0.0' }, repository: 'elastic-agent/elastic-otel-collector' }],
    suffixes: { wolfi: wolfiSince('9.0.0') },
  },
  {
    name: 'eck-support-diagnostics',
    title: 'Support diagnostics, as eck-diagnostics runs them',
    follows: 'own',
    version: '9.3.1',
    repositories: [{ repository: 'eck-dev/support-diagnostics' }],
  },
  {
    name: 'support-diagnostics',
    title: 'Support diagnostics on their own',
    follows: 'own',
    version: '9.4.1',
    repositories: [{ repository: 'support/diagnostics' }],
  },
  {
    name: 'eck-diagnostics',
    title: 'Carrier of the eck-diagnostics program',
    follows: 'own',
    version: '1.11.0',
    repositories: [{ repository: 'eck/diagnostics' }],
  },
  { name: 'eland', title: 'Eland', follows: 'own', repositories: [{ repository: 'eland/eland' }] },
];
