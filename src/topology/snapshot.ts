/** A machine as its own programs describe it -> a topology file with all its namespaces. */

import { pairVeths, snapshotDevices } from './snapshot-devices.ts'
import type { VethEnd } from './snapshot-devices.ts'
import { textIn } from './snapshot-record.ts'
import type { JsonObject, MachineRecord, NamespaceRecord, RulesetRecord } from './snapshot-record.ts'
import { snapshotNeighbours, snapshotRoutes, snapshotRules } from './snapshot-routes.ts'
import { snapshotSockets } from './snapshot-sockets.ts'
import { tellingSysctls } from './snapshot-sysctls.ts'
import { indented, yamlBlock, yamlKnownList, yamlList, yamlMapping, yamlText } from './snapshot-yaml.ts'

/** A topology file and what it leaves out: sentences, in the file comments. */
export interface Snapshot {
  readonly text: string
  readonly leftOut: readonly string[]
  /** Which backend's rules the file has, by namespace and family; absent where there are none. */
  readonly backends: readonly { readonly namespace: string; readonly family: 'ipv4' | 'ipv6'; readonly backend: 'legacy' | 'nft' }[]
}

const KEYS = { ipv4: 'iptables', ipv6: 'ip6tables' } as const

/** Writes the topology file of a machine. */
export function snapshotMachine(machine: MachineRecord): Snapshot {
  const { leftOut } = machine
  const namespaces = machine.namespaces.map(record => ({ ...record, devices: record.devices.filter(device => textIn(device, 'ifname') !== undefined) }))
  const peers = pairVeths(namespaces)
  const parts = namespaces.map(record => snapshotNamespace(record, peers))
  const all = [...leftOut, ...parts.flatMap((part, index) => part.leftOut.map(words => (namespaces.length === 1 ? words : `namespace ${namespaces[index]?.name}: ${words}`)))]
  const backends = namespaces.flatMap(({ name, rulesets }) => chosen(rulesets).kept.map(({ family, backend }) => ({ namespace: name, family, backend })))
  const lines = [
    '# Written by 5x5 snapshot: `5x5 trace --topology` and `5x5 verify --topology` read it.',
    ...(all.length === 0 ? [] : ['# It leaves out:', ...all.map(words => `# - ${words}`)]),
    'namespaces:',
    ...parts.flatMap((part, index) => indented([`${yamlText(namespaces[index]?.name ?? '')}:`, ...indented(part.lines)])),
  ]
  return { text: `${lines.join('\n')}\n`, leftOut: all, backends }
}

interface Part {
  readonly lines: readonly string[]
  readonly leftOut: readonly string[]
}

function snapshotNamespace(record: NamespaceRecord, peers: ReadonlyMap<JsonObject, VethEnd>): Part {
  const devices = snapshotDevices(record, peers)
  const routes = (['ipv4', 'ipv6'] as const).map(family => snapshotRoutes(record, family))
  const rules = (['ipv4', 'ipv6'] as const).map(family => snapshotRules(record, family))
  const { kept, leftOut } = chosen(record.rulesets)
  return {
    lines: [
      ...yamlMapping('devices', devices.lines),
      ...yamlList('routes', routes.flatMap(part => part.lines)),
      ...yamlList('rules', rules.flatMap(part => part.lines)),
      ...yamlList('neighbours', snapshotNeighbours(record)),
      ...yamlMapping('sysctls', tellingSysctls(record).map(([name, value]) => [name, yamlText(value)])),
      ...(Object.values(record.sockets).some(text => text !== '') ? yamlKnownList('listen', snapshotSockets(record.sockets)) : []),
      ...yamlBlock('ipsets', record.ipsets),
      ...kept.flatMap(({ family, backend, text }) => [`# loaded by ${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}`, ...yamlBlock(KEYS[family], withoutComments(text))]),
    ],
    leftOut: [...devices.leftOut, ...routes.flatMap(part => part.leftOut), ...rules.flatMap(part => part.leftOut), ...leftOut],
  }
}

/** A namespace may have rules of both backends at once, and the kernel runs both; a topology has one text for each family. */
function chosen(rulesets: readonly RulesetRecord[]): { readonly kept: readonly RulesetRecord[]; readonly leftOut: readonly string[] } {
  const used = rulesets.filter(({ text }) => decides(text))
  const kept = (['ipv4', 'ipv6'] as const).flatMap(family => used.find(one => one.family === family && one.backend === backendOf(used)) ?? used.find(one => one.family === family) ?? [])
  const leftOut = used.filter(one => !kept.includes(one)).map(({ family, backend }) => `${KEYS[family]}-${backend} has rules too, beside those of the other backend: they are left out`)
  return { kept, leftOut }
}

/** The backend with more lines. */
function backendOf(rulesets: readonly RulesetRecord[]): string {
  const lines = (backend: string): number => rulesets.filter(one => one.backend === backend).reduce((sum, { text }) => sum + text.split('\n').length, 0)
  return lines('nft') > lines('legacy') ? 'nft' : 'legacy'
}

/** Empty tables whose chain policies accept decide nothing. */
function decides(text: string): boolean {
  return /^(-A|\[\d+:\d+\] -A) /m.test(text) || /^:\S+ DROP/m.test(text)
}

function withoutComments(text: string): string {
  return text.split('\n').filter(line => !line.startsWith('#')).join('\n')
}

/** Returns the names of a namespace's devices. */
export function deviceNamesOf(devices: readonly JsonObject[]): readonly string[] {
  return devices.flatMap(device => textIn(device, 'ifname') ?? [])
}
