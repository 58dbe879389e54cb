// Manifests shaped like those that ECK publishes: operator.yaml in what matters here, and crds.yaml, which is the real one
// where it lies beside the project.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ELASTIC_DATA } from './elastic-data.ts';

export function operatorManifest(version: string): string {
  const image = `docker.elastic.co/eck/eck-operator:${version}`;
  return `apiVersion: v1
kind: Namespace
metadata:
  name: elastic-system
  labels:
    name: elastic-system
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: elastic-operator
  namespace: elastic-system
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: elastic-operator
  namespace: elastic-system
data:
  eck.yaml: |-
    log-verbosity: 0
    metrics-port: 0
    container-registry: docker.elastic.co
    max-concurrent-reconciles: 3
    operator-namespace: elastic-system
    enable-leader-election: true
    ubi-only: false
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: elastic-operator
  namespace: elastic-system
  labels:
    control-plane: elastic-operator
    app.kubernetes.io/version: "${version}"
spec:
  selector:
    matchLabels:
      control-plane: elastic-operator
  serviceName: elastic-operator
  replicas: 1
  template:
    metadata:
      labels:
        control-plane: elastic-operator
    spec:
      serviceAccountName: elastic-operator
      securityContext:
        runAsNonRoot: true
      containers:
      - image: "${image}"
        imagePullPolicy: IfNotPresent
        name: manager
        args:
        - manager
        - --config=/conf/eck.yaml
        env:
        - name: OPERATOR_NAMESPACE
          valueFrom:
            fieldRef:
              fieldPath: metadata.namespace
        - name: OPERATOR_IMAGE
          value: "${image}"
        volumeMounts:
        - mountPath: /conf
          name: conf
          readOnly: true
      volumes:
      - name: conf
        configMap:
          name: elastic-operator
`;
}

/** The real one of this version where there is one, else `crdsStandIn`. */
export function crdsManifest(version: string): string {
  const real = join(ELASTIC_DATA, `eck-${version}`, 'crds.yaml');
  return existsSync(real) ? readFileSync(real, 'utf8') : crdsStandIn(version);
}

/** One small CRD. */
export function crdsStandIn(version: string): string {
  return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  labels:
    app.kubernetes.io/version: "${version}"
  name: elasticsearches.elasticsearch.k8s.elastic.co
spec:
  group: elasticsearch.k8s.elastic.co
  names:
    kind: Elasticsearch
    listKind: ElasticsearchList
    plural: elasticsearches
    singular: elasticsearch
  scope: Namespaced
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: object
        x-kubernetes-preserve-unknown-fields: true
    served: true
    storage: true
`;
}
