/** Kubernetes objects, or a compact description -> a node with its services: the one way from texts to rules. */

import { reportInto } from '../diagnostics/diagnostic.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { complain, entryNamed, isEmpty, isMapping, openYamlStream, rootOf } from '../yaml/yaml-reader.ts'
import { looksCompact, readCompact } from './compact.ts'
import { manifestsOf } from './manifest.ts'
import type { Manifest } from './manifest.ts'
import type { Endpoint, KubeNode, ProxyOptions, ServicePort } from './model.ts'
import { endpointText } from './names.ts'
import { readOptions } from './read-options.ts'
import { readService } from './read-service.ts'
import type { ServiceReading } from './read-service.ts'
import { readSlice } from './read-slice.ts'
import type { SliceReading } from './read-slice.ts'

/** A service without rules, and why. */
export interface SkippedService {
  readonly name: string
  readonly reason: string
}

/** The node, everything there is to say about the objects, and what is of no matter for packets. */
export interface ClusterReading {
  readonly value: KubeNode
  readonly skipped: readonly SkippedService[]
  readonly diagnostics: readonly Diagnostic[]
  readonly ignored: readonly string[]
}

/** Objects that kube-proxy reads. */
const KINDS = ['Service', 'EndpointSlice', 'Node', 'KubeProxyConfiguration']

/** Reads files, each with one or several documents. `flags` come over what the files say to kube-proxy. */
export function readCluster(sources: readonly SourceFile[], flags: Partial<ProxyOptions>): ClusterReading {
  const diagnostics: Diagnostic[] = []
  const notes: FieldNotes = { ignored: new Set(), report: reportInto(diagnostics) }
  const readers = sources.flatMap(openYamlStream)
  const roots = readers.filter(reader => reader.diagnostics.length === 0).map(rootOf).filter(root => !isEmpty(root))
  for (const root of roots) if (!isMapping(root)) complain(root.reader, 'wrong-kind', root.span, 'this is no Kubernetes object', 'give what `kubectl get services,endpointslices -A -o yaml` prints')
  const compact = roots.filter(isMapping).filter(looksCompact).map(root => readCompact(root, flags, notes))
  const manifests = roots.filter(root => isMapping(root) && !looksCompact(root)).flatMap(root => manifestsOf(root, notes))
  const options = compact[0] && manifests.length === 0 ? compact[0].options : readOptions(manifests, flags, notes)
  const { services, skipped } = readServices(manifests, options, notes)
  reportOthers(manifests, notes)
  const all = [...compact.flatMap(one => one.services), ...services].toSorted(byName)
  reportClashes(all, notes)
  return {
    value: { options, services: all }, skipped, ignored: [...notes.ignored],
    diagnostics: [...new Set(readers.map(reader => reader.diagnostics))].flat().concat(diagnostics),
  }
}

/** Objects in the order of their names: kube-proxy has none. */
function byName(one: ServicePort, other: ServicePort): number {
  const [a, b] = [`${one.name} ${one.protocol}`, `${other.name} ${other.protocol}`]
  return a < b ? -1 : a > b ? 1 : 0
}

function readServices(manifests: readonly Manifest[], options: ProxyOptions, notes: FieldNotes): { readonly services: readonly ServicePort[]; readonly skipped: readonly SkippedService[] } {
  const slices = manifests.filter(({ kind }) => kind === 'EndpointSlice').flatMap(manifest => readSlice(manifest, options.nodeName, notes))
  const skipped: SkippedService[] = []
  const ports = manifests.filter(({ kind }) => kind === 'Service').flatMap(manifest => {
    const answer = readService(manifest, notes)
    if ('ports' in answer) return answer.ports
    skipped.push({ name: `${manifest.namespace}/${manifest.name}`, reason: answer.skipped })
    return []
  })
  reportStraySlices(manifests, notes)
  return { services: ports.map(port => withEndpoints(port, slices)), skipped }
}

/** An endpoint of several slices is one; where one of them says that it is here, it is. */
function withEndpoints({ service, portName, ...port }: ServiceReading, slices: readonly SliceReading[]): ServicePort {
  const own = slices.filter(slice => slice.service === service && slice.portName === portName && slice.protocol === port.protocol).flatMap(({ endpoints }) => endpoints)
  const byText = new Map<string, Endpoint>()
  for (const endpoint of own) {
    const text = endpointText(endpoint)
    if (endpoint.isLocal || !byText.has(text)) byText.set(text, endpoint)
  }
  return { ...port, endpoints: [...byText.values()] }
}

function reportStraySlices(manifests: readonly Manifest[], { report }: FieldNotes): void {
  const services = manifests.filter(({ kind }) => kind === 'Service').map(({ namespace, name }) => `${namespace}/${name}`)
  for (const { kind, namespace, name, value } of manifests) {
    const labels = kind === 'EndpointSlice' ? entryNamed(entryNamed(value, 'metadata')?.value ?? value, 'labels') : undefined
    const label = labels && entryNamed(labels.value, 'kubernetes.io/service-name')
    const service = label && `${namespace}/${value.reader.source.text.slice(label.value.span.start, label.value.span.end).replace(/^["']|["']$/g, '')}`
    if (!label || service === undefined || services.includes(service)) continue
    const help = didYouMean(service, services)
    report('no-service', 'warning', label.value.span, `endpoint slice ${namespace}/${name} is of service \`${service}\`, which is not here`, help === undefined ? {} : { help })
  }
}

function reportOthers(manifests: readonly Manifest[], { report, ignored }: FieldNotes): void {
  for (const { kind, value } of manifests) {
    if (KINDS.includes(kind)) continue
    const span = entryNamed(value, 'kind')?.value.span ?? value.span
    if (kind === 'Endpoints') report('not-modelled', 'note', span, 'kube-proxy does not read Endpoints', { help: 'give the EndpointSlices: `kubectl get endpointslices -A -o yaml`' })
    else if (kind === 'NetworkPolicy') report('not-modelled', 'note', span, 'kube-proxy writes no rules for a NetworkPolicy: the network plugin does')
    else if (didYouMean(kind, KINDS) !== undefined) report('wrong-kind', 'error', span, `kind \`${kind}\` is not known`, { help: didYouMean(kind, KINDS) ?? '' })
    else ignored.add(kind)
  }
}

/** What the API server refuses: one name or one node port for two. */
function reportClashes(services: readonly ServicePort[], { report }: FieldNotes): void {
  const names = new Map<string, ServicePort>()
  const nodePorts = new Map<string, ServicePort>()
  for (const service of services) {
    const key = `${service.name} ${service.protocol}`
    if (names.has(key)) report('duplicate-name', 'error', service.span, `port \`${service.name}\` is there twice`)
    names.set(key, service)
    if (service.nodePort === undefined) continue
    const claim = `${service.nodePort}/${service.protocol}`
    const first = nodePorts.get(claim)
    if (first) report('port-claimed-twice', 'error', service.span, `node port ${claim} of service ${service.name} is that of service ${first.name} already`)
    nodePorts.set(claim, service)
  }
}
