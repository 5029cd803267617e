/**
 * Topologies in YAML -> `Topology`. One host is written with `devices:` at the top, several under `namespaces:`.
 *
 *     devices:
 *       eth0: 203.0.113.2/24
 *       docker0: { kind: bridge, addresses: [172.17.0.1/16], ports: [veth1] }
 *     routes:
 *       - default via 203.0.113.1 dev eth0
 *     labels:
 *       172.17.0.2: container c1
 */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import { readAddress } from '../net/address.ts'
import { findMistakes } from './mistakes.ts'
import type { TopologyPlaces } from './mistakes.ts'
import { joinPeers, readWires } from './load-links.ts'
import { NAMESPACE_KEYS, readNamespace } from './load-namespace.ts'
import type { NamespaceReading } from './load-namespace.ts'
import type { Label, Topology } from './topology.ts'
import { complain, entriesOf, openYaml, rootOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlReader } from '../yaml/yaml-reader.ts'

/** What the namespace of a file without `namespaces:` is called. */
const ONLY_NAMESPACE = 'host'

/** What was read, and everything that is wrong with it. */
export interface TopologyReading {
  readonly value: Topology
  readonly diagnostics: readonly Diagnostic[]
}

/** How the files that a topology names are read: relative to it; a text says why one cannot be read. */
export interface TopologyOptions {
  readonly readFile?: (path: string) => SourceFile | string
}

/** Reads a topology; a part that cannot be read is reported and left out. */
export function readTopology(source: SourceFile, options: TopologyOptions = {}): TopologyReading {
  const reader: YamlReader = { ...openYaml(source), readFile: options.readFile }
  if (reader.document.errors.length > 0) return { value: { namespaces: [], labels: [], assumptions: [] }, diagnostics: reader.diagnostics }
  const entries = entriesOf(rootOf(reader), 'a topology')
  if (entries.length === 0 && reader.diagnostics.length === 0) complain(reader, 'empty-file', rootOf(reader).span, 'the file describes no topology', 'write the devices of the host: `devices:` and below it `eth0: 192.0.2.1/24`')
  const several = entries.find(entry => entry.key === 'namespaces')
  const readings = several ? readNamespaces(several, entries) : [readNamespace(reader, ONLY_NAMESPACE, entries.filter(entry => !BESIDE.includes(entry.key)))]
  complainOfTwins(reader, readings)
  const peerSpans = new Map(readings.map(({ namespaces, devices }) => [namespaces[0]?.name ?? '', devices.peerSpans]))
  const namespaces = joinPeers(reader, readings.flatMap(reading => reading.namespaces), peerSpans)
  const wires = entries.filter(entry => entry.key === 'wires').flatMap(entry => readWires(entry.value, namespaces))
  const labels = [...entries.filter(entry => entry.key === 'labels').flatMap(readLabels), ...readings.flatMap(reading => reading.labels)]
  const containers = readings.flatMap(reading => reading.containers)
  const value: Topology = { namespaces, labels, assumptions: [], wires, containers }
  if (!reader.diagnostics.some(({ severity }) => severity === 'error')) reader.diagnostics.push(...findMistakes(value, placesOf(several, readings)))
  const diagnostics = reader.diagnostics.sort((one, other) => one.span.start - other.span.start)
  return { value, diagnostics }
}

function placesOf(several: YamlEntry | undefined, readings: readonly NamespaceReading[]): TopologyPlaces {
  const spans = new Map(several ? entriesOf(several.value, '`namespaces`').map(({ key, keySpan }) => [key, keySpan] as const) : [])
  return {
    namespace: name => spans.get(name),
    device: (namespace, device) => readings.find(({ namespaces: [own] }) => own?.name === namespace)?.devices.nameSpans.get(device),
  }
}

/** Keys that stand beside namespaces, or beside the devices of the only one. */
const BESIDE: readonly string[] = ['labels', 'wires']

function readNamespaces(several: YamlEntry, entries: readonly YamlEntry[]): readonly NamespaceReading[] {
  const { reader } = several.value
  for (const entry of entries) {
    if (entry.key === 'namespaces' || BESIDE.includes(entry.key)) continue
    const help = NAMESPACE_KEYS.includes(entry.key) ? 'it belongs to one of the namespaces: move it there' : `known here are namespaces, ${BESIDE.join(', ')}`
    complain(reader, 'unknown-key', entry.keySpan, `\`${entry.key}\` is not known beside \`namespaces\``, help)
  }
  return entriesOf(several.value, '`namespaces`').map(({ key, value }) => readNamespace(reader, key, entriesOf(value, `namespace \`${key}\``)))
}

/** A container's sandbox is called like it, so that two hosts cannot have containers of one name. */
function complainOfTwins(reader: YamlReader, readings: readonly NamespaceReading[]): void {
  const names = readings.flatMap(({ namespaces }) => namespaces.map(({ name }) => name))
  for (const { nameSpans, containers } of readings) {
    for (const { name } of containers) {
      const span = nameSpans.get(name)
      if (span && names.filter(one => one === name).length > 1) complain(reader, 'duplicate-key', span, `there are two namespaces \`${name}\``, 'a container is a namespace of its name: rename one')
    }
  }
}

function readLabels(entry: YamlEntry): readonly Label[] {
  return entriesOf(entry.value, '`labels`').flatMap(({ key, keySpan, value }) => {
    const address = readAddress(key)
    const words = textOf(value, `the label of \`${key}\``)
    if (address === undefined) complain(value.reader, 'bad-value', keySpan, `\`${key}\` is not an address`)
    return address === undefined || words === undefined ? [] : [{ address, words }]
  })
}
