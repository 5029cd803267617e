/** Podman's networks and containers, as a compact YAML names them -> what netavark is asked for. */

import { fieldsOf } from '../draft/fields.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { reportMissing } from '../draft/required.ts'
import { addressOf, deviceOf, portOf, subnetOf } from '../draft/values.ts'
import { familyOf, prefixIncludes, readAddress } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { addressAt, prefixAround } from '../net/prefix-math.ts'
import { PORT_PROTOCOLS } from '../net/protocol.ts'
import type { PortProtocol } from '../net/protocol.ts'
import type { NumberRange } from '../net/ranges.ts'
import { complain, entriesOf, entryNamed, isMapping, itemsOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'

/** How a network is kept from others: `strict` from those too that are not isolated. */
export type Isolation = 'never' | 'normal' | 'strict'

/** A published port or range of ports; both ranges have the same number of ports. */
export interface NetavarkPort {
  readonly protocol: PortProtocol
  readonly host: NumberRange
  readonly container: NumberRange
  /** Absent: all addresses. */
  readonly hostAddress: Address | undefined
}

/** A container on a network. */
export interface NetavarkContainer {
  readonly name: string
  readonly addresses: Readonly<Partial<Record<Family, Address>>>
  readonly ports: readonly NetavarkPort[]
}

/** A network of podman. */
export interface NetavarkNetwork {
  readonly name: string
  readonly subnets: Readonly<Partial<Record<Family, { readonly prefix: Prefix; readonly gateway: Address }>>>
  readonly bridge: string
  readonly isolation: Isolation
  readonly dnsPort: number
  readonly containers: readonly NetavarkContainer[]
}

/** The networks of a host. `isOld`: netavark 1.4 and before, without chains for INPUT and strict isolation. */
export interface NetavarkHost {
  readonly networks: readonly NetavarkNetwork[]
  readonly isOld: boolean
}

const NETWORK_KEYS = {
  modelled: ['subnet', 'subnets', 'gateway', 'interface', 'isolate', 'dnsPort', 'containers'],
  harmless: ['driver', 'dns', 'id', 'labels'],
  open: { internal: 'networks without a way out get no rules', mode: 'unmanaged bridges get no rules' },
} as const

const CONTAINER_KEYS = { modelled: ['ip', 'ips', 'ports'], harmless: ['interface', 'id'], open: {} } as const

/** Key of the release of netavark. */
const RELEASE_KEY = 'x-netavark'

/** Tells whether a file describes networks of podman: a mapping of networks, each with its subnet. */
export function looksLikeNetavark(root: YamlValue): boolean {
  return isMapping(root) && entriesOf({ ...root, reader: { ...root.reader, diagnostics: [] } }, '').some(({ value }) => isMapping(value) && (entryNamed(value, 'subnet') ?? entryNamed(value, 'subnets')) !== undefined)
}

/** Reads the networks in the order given, which is that of their making. */
export function readNetavark(root: YamlValue, notes: FieldNotes): NetavarkHost {
  const entries = entriesOf(root, 'the networks')
  const release = entries.find(({ key }) => key === RELEASE_KEY)
  const [major = 0, minor = 0] = release ? (textOf(release.value, `\`${RELEASE_KEY}\``) ?? '').split('.').map(Number) : [1, 17]
  const networks = entries.filter(({ key }) => !key.startsWith('x-')).map(entry => readNetwork(entry, notes))
  const bridges = new Set<string>()
  for (const [index, { bridge, name }] of networks.entries()) {
    const span = entries.filter(({ key }) => !key.startsWith('x-'))[index]?.keySpan ?? root.span
    if (bridges.has(bridge)) complain(root.reader, 'duplicate-name', span, `network \`${name}\` has the bridge \`${bridge}\` of another network`)
    bridges.add(bridge)
  }
  return { networks, isOld: major === 1 && minor <= 4 }
}

function readNetwork({ key: name, keySpan, value }: YamlEntry, notes: FieldNotes): NetavarkNetwork {
  const what = `network \`${name}\``
  const field = fieldsOf(value, what, NETWORK_KEYS, notes)
  const subnets = field('subnets') ?? field('subnet')
  if (!subnets) reportMissing({ ...value, span: keySpan }, what, 'subnet')
  const given = (subnets ? itemsOf(subnets.value) : []).flatMap(item => subnetOf(item, '`subnet`') ?? [])
  const gateways = itemsOf(field('gateway')?.value ?? { ...value, node: null }).flatMap(item => addressOf(item, '`gateway`') ?? [])
  const sides = given.map(({ address, length }) => {
    const prefix = prefixAround(address, length)
    return [familyOf(address), { prefix, gateway: gateways.find(one => prefixIncludes(prefix, one)) ?? addressAt(prefix, 1n) }] as const
  })
  const bridge = field('interface')
  if (!bridge) reportMissing({ ...value, span: keySpan }, what, 'interface')
  const [isolate, dnsPort, containers] = [field('isolate'), field('dnsPort'), field('containers')]
  return {
    name,
    subnets: Object.fromEntries(sides),
    bridge: (bridge && deviceOf(bridge.value, '`interface`')) ?? 'podman0',
    isolation: isolate ? readIsolation(isolate.value) : 'never',
    dnsPort: (dnsPort && portOf(dnsPort.value, '`dnsPort`')) ?? 53,
    containers: (containers ? entriesOf(containers.value, '`containers`') : []).map(entry => readContainer(entry, notes)),
  }
}

function readIsolation(value: YamlValue): Isolation {
  const text = textOf(value, '`isolate`') ?? 'false'
  if (text === 'strict') return 'strict'
  if (text === 'normal' || text === 'true') return 'normal'
  if (text !== 'false' && text !== 'never') complain(value.reader, 'bad-value', value.span, `\`isolate: ${text}\` is not known`, 'known are false, true (or normal) and strict')
  return 'never'
}

function readContainer({ key: name, keySpan, value }: YamlEntry, notes: FieldNotes): NetavarkContainer {
  const field = fieldsOf(value, `container \`${name}\``, CONTAINER_KEYS, notes)
  const [ips, ports] = [field('ips') ?? field('ip'), field('ports')]
  if (!ips) reportMissing({ ...value, span: keySpan }, `container \`${name}\``, 'ip')
  const addresses = (ips ? itemsOf(ips.value) : []).flatMap(item => addressOf(item, '`ip`') ?? [])
  return {
    name,
    addresses: Object.fromEntries(addresses.map(address => [familyOf(address), address])),
    ports: (ports ? itemsOf(ports.value) : []).flatMap(readPort),
  }
}

/** `[HOST:]PORT:PORT[/PROTOCOL]`, with ranges; an IPv6 address stands in brackets. */
function readPort(value: YamlValue): readonly NetavarkPort[] {
  const text = textOf(value, 'a port')
  if (text === undefined) return []
  const [, address = '', host = '', container = '', word = 'tcp'] = /^(?:(\[[^\]]*\]|[^:[\]]*):)?([\d-]+):([\d-]+)(?:\/(\w+))?$/.exec(text) ?? []
  const protocol = PORT_PROTOCOLS.find(name => name === word)
  const [hosts, containers] = [readRange(host), readRange(container)]
  const hostAddress = address === '' ? undefined : readAddress(address.replace(/^\[|\]$/g, ''))
  const refuse = (message: string): readonly NetavarkPort[] => {
    complain(value.reader, 'bad-value', value.span, message, 'a port reads `8080:80/tcp`, `127.0.0.1:8080:80` or `7000-7002:7000-7002/udp`')
    return []
  }
  if (host === '') return refuse(`\`${text}\` is not a published port`)
  if (!protocol) return refuse(`protocol \`${word}\` is not known`)
  if (address !== '' && hostAddress === undefined) return refuse(`\`${address}\` is not an address`)
  if (!hosts || !containers) return refuse(`\`${text}\` has a port that is not between 1 and 65535`)
  if (hosts.high - hosts.low !== containers.high - containers.low) return refuse(`\`${text}\` has ${hosts.high - hosts.low + 1} ports of the host for ${containers.high - containers.low + 1} of the container`)
  return [{ protocol, host: hosts, container: containers, hostAddress }]
}

function readRange(text: string): NumberRange | undefined {
  const [low = Number.NaN, high = low, ...more] = text.split('-').map(Number)
  return low >= 1 && high >= low && high <= 65535 && more.length === 0 ? { low, high } : undefined
}
