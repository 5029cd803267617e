/**
 * A topology rebuilt in network namespaces of its own. Devices that lead out of the described world are vxlan devices whose other
 * side is a UDP socket of ours: what we send there arrives as a frame, what the namespace sends comes to us. So every packet can be made
 * and seen with nothing but `ip` and the sockets of Node.
 */

import { leadsOut } from '../../src/analyze/surroundings.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import { addressWidth, writeAddress } from '../../src/net/address.ts'
import type { Family } from '../../src/net/address.ts'
import { ipsetLines, routeRuleWords, routeWords } from '../../src/topology/commands.ts'
import { makeLinks } from '../../src/topology/links.ts'
import type { Device, Namespace, Topology } from '../../src/topology/topology.ts'
import { commandError } from '../command.ts'
import { attempt, restoreProgram, run } from './machine.ts'
import { baseSysctls, sysctlScript } from './sysctls.ts'

/** The namespaces of a rebuilt topology. */
export interface Lab {
  readonly topology: Topology
  readonly backend: Backend
  /** The machine's names by those of the topology. */
  readonly names: ReadonlyMap<string, string>
  /** The vxlan numbers of devices that lead out, by `NAMESPACE/DEVICE`. */
  readonly wires: ReadonlyMap<string, number>
  /** Where our end of the wires is. */
  readonly outside: string
  /** Where the vxlan devices have theirs. */
  readonly tunnel: string
}

/** Where frames are exchanged; the addresses exist only between two namespaces of ours. */
export const TUNNEL = { theirs: '10.255.255.1', ours: '10.255.255.2', port: 4789 } as const

/** Names the namespaces and wires of a topology; nothing is made yet. */
export function planLab(topology: Topology, backend: Backend): Lab {
  const prefix = `5x5-verify-${process.pid}-${Math.random().toString(36).slice(2, 6)}`
  const names = new Map(topology.namespaces.map(({ name }, index) => [name, `${prefix}-${index}`]))
  const leading = topology.namespaces.flatMap(namespace => namespace.devices.filter(device => leadsOut(namespace, device, topology.wires) || device.kind === 'dummy').map(device => `${namespace.name}/${device.name}`))
  return { topology, backend, names, wires: new Map(leading.map((key, index) => [key, index + 1])), outside: `${prefix}-out`, tunnel: `${prefix}-tun` }
}

/** Makes the namespaces with all that they have but their rules. */
export function buildLab(lab: Lab, families: readonly Family[]): void {
  const { topology, tunnel, outside } = lab
  for (const name of allNames(lab)) run(['ip', 'netns', 'add', name])
  run(['ip', '-n', tunnel, '-batch', '-'], `link add w mtu 65535 type veth peer name w mtu 65535 netns ${outside}\naddress add ${TUNNEL.theirs}/30 dev w\nlink set w up\n`)
  run(['ip', '-n', outside, '-batch', '-'], `address add ${TUNNEL.ours}/30 dev w\nlink set w up\nlink set lo up\n`)
  const used = speaksIpv6(topology) ? (['ipv4', 'ipv6'] as const) : families
  for (const namespace of topology.namespaces) inside(lab, namespace.name, ['sh'], sysctlScript(baseSysctls(used)))
  for (const namespace of topology.namespaces) for (const device of namespace.devices) makeDevice(lab, namespace, device)
  for (const wire of topology.wires ?? []) {
    const [one, other] = wire.ends
    if (!one || !other || wire.ends.length > 2) throw commandError('a wire with more than two ends cannot be rebuilt', 'describe a bridge in a namespace of its own instead')
    run(['ip', '-n', nameOf(lab, one.namespace), 'link', 'add', one.device, 'type', 'veth', 'peer', 'name', other.device, 'netns', nameOf(lab, other.namespace)])
  }
  for (const namespace of topology.namespaces) configure(lab, namespace)
}

function speaksIpv6({ namespaces }: Topology): boolean {
  return namespaces.some(({ devices, routes }) => devices.some(device => device.kind !== 'loopback' && device.addresses.some(one => typeof one.address === 'bigint')) || routes.some(route => typeof route.prefix.address === 'bigint'))
}

/** Loads rules into a namespace in place of those that it has: every counter and every memory of a match begins anew. */
export function loadRules(lab: Lab, namespace: string, family: Family, texts: readonly string[]): void {
  const program = restoreProgram(lab.backend, family)
  const text = texts.map(one => (one.endsWith('\n') ? one : `${one}\n`)).join('')
  const tables = [...new Set([...text.matchAll(/^\*(\w+)/gm)].map(match => match[1] ?? ''))]
  inside(lab, namespace, [program], tables.map(table => `*${table}\nCOMMIT\n`).join(''))
  const { status, stderr } = attempt(['ip', 'netns', 'exec', nameOf(lab, namespace), program], text)
  if (status !== 0) throw commandError(`\`${program}\` refuses the rules of ${namespace}`, stderr.trim().split('\n')[0] ?? '')
  inside(lab, namespace, [program, '--noflush'], conntrackRule(tables.includes('filter') ? 'filter' : (tables[0] ?? 'filter')))
}

/** Removes all namespaces, those that were not made too. */
export function removeLab(lab: Lab): void {
  for (const name of allNames(lab)) attempt(['ip', 'netns', 'delete', name])
}

/** Returns the machine's name of a namespace. */
export function nameOf(lab: Lab, namespace: string): string {
  return lab.names.get(namespace) ?? namespace
}

/** Runs a program in a namespace. */
export function inside(lab: Lab, namespace: string, words: readonly string[], input = ''): string {
  return run(['ip', 'netns', 'exec', nameOf(lab, namespace), ...words], input)
}

/** The chain that nothing jumps to. */
export const CONNTRACK_CHAIN = '5x5-verify'

/** Kernel: connections are tracked only where a rule asks for it; the simulator takes them to be. Source: net/netfilter/nf_conntrack_proto.c nf_ct_netns_get(). */
function conntrackRule(table: string): string {
  return `*${table}\n:${CONNTRACK_CHAIN} - [0:0]\n-A ${CONNTRACK_CHAIN} -m conntrack --ctstate NEW\nCOMMIT\n`
}

function allNames(lab: Lab): readonly string[] {
  return [...lab.names.values(), lab.tunnel, lab.outside]
}

/** Of a pair, the end that comes first makes both. */
function makeDevice(lab: Lab, namespace: Namespace, device: Device): void {
  const place = nameOf(lab, namespace.name)
  const wire = lab.wires.get(`${namespace.name}/${device.name}`)
  const { peer, vlan, kind, name } = device
  if (kind === 'loopback') return
  if (wire !== undefined) {
    run(['ip', '-n', lab.tunnel, '-batch', '-'], `link add t${wire} type vxlan id ${wire} remote ${TUNNEL.ours} dstport ${TUNNEL.port} nolearning\nlink set t${wire} netns ${place} name ${name}\n`)
  } else if (peer) {
    const namespaces = lab.topology.namespaces.map(one => one.name)
    const isFirst = peer.namespace === namespace.name ? namespace.devices.findIndex(one => one.name === name) < namespace.devices.findIndex(one => one.name === peer.device) : namespaces.indexOf(namespace.name) < namespaces.indexOf(peer.namespace)
    if (isFirst) run(['ip', '-n', place, 'link', 'add', name, 'type', 'veth', 'peer', 'name', peer.device, 'netns', nameOf(lab, peer.namespace)])
  } else if (kind === 'bridge') run(['ip', '-n', place, 'link', 'add', name, 'type', 'bridge', 'mcast_snooping', '0', 'forward_delay', '0'])
  else if (vlan) run(['ip', '-n', place, 'link', 'add', 'link', vlan.parent, 'name', name, 'type', 'vlan', 'id', String(vlan.id)])
}

function configure(lab: Lab, namespace: Namespace): void {
  const place = nameOf(lab, namespace.name)
  const batch = (lines: readonly string[]): string => run(['ip', '-n', place, '-batch', '-'], lines.map(line => `${line}\n`).join(''))
  batch(namespace.devices.flatMap(device => deviceLines(lab, namespace, device)))
  inside(lab, namespace.name, ['sh'], sysctlScript(namespace.sysctls))
  batch(namespace.devices.filter(device => device.up).map(device => `link set ${device.name} up`))
  batch(namespace.routes.map(route => `route replace ${routeWords(route)}`))
  batch(namespace.rules.map(rule => `rule add ${routeRuleWords(rule)}`))
  for (const { device, address, mac, port } of namespace.neighbours) setNeighbour(lab, namespace.name, { device, address: writeAddress(address), mac, ...(port === undefined ? {} : { port }) })
  if (namespace.ipsets.length > 0) inside(lab, namespace.name, ['ipset', 'restore'], ipsetLines(namespace.ipsets))
}

/** A neighbour that is known without being asked; on a bridge behind a port, or behind any. */
export interface LabNeighbour {
  readonly device: string
  readonly address: string
  readonly mac: string
  readonly port?: string
}

/** Makes a neighbour known. */
export function setNeighbour(lab: Lab, namespace: string, { device, address, mac, port }: LabNeighbour): void {
  const written = mac.match(/../g)?.join(':') ?? mac
  run(['ip', '-n', nameOf(lab, namespace), 'neigh', 'replace', address, 'lladdr', written, 'dev', device, 'nud', 'permanent'])
  if (port !== undefined) run(['bridge', '-n', nameOf(lab, namespace), 'fdb', 'replace', written, 'dev', port, 'master', 'static'])
}

/** On a wire every neighbour exists: its devices ask nobody. */
function deviceLines(lab: Lab, namespace: Namespace, device: Device): readonly string[] {
  const { name, kind, mac, mtu, group, master, hairpin, addresses } = device
  const isWire = lab.wires.has(`${namespace.name}/${name}`)
  const own = kind === 'loopback' ? addresses.filter(one => one.address !== 0x7f000001 && one.address !== 1n) : addresses
  return [
    kind === 'loopback' ? '' : `link set ${name} mtu ${mtu}`,
    kind === 'loopback' || mac === undefined ? '' : `link set ${name} address ${mac.match(/../g)?.join(':')}`,
    group === undefined ? '' : `link set ${name} group ${group}`,
    isWire ? `link set ${name} arp off` : '',
    master === undefined ? '' : `link set ${name} master ${master}`,
    master !== undefined ? `link set ${name} type bridge_slave hairpin ${hairpin ? 'on' : 'off'}${isWire && makeLinks(lab.topology) === undefined ? ' learning off' : ''}` : '',
    ...own.map(({ address, length }) => `address add ${writeAddress(address)}/${length} dev ${name}${typeof address === 'bigint' && length < addressWidth('ipv6') ? ' nodad' : ''}`),
  ].filter(line => line !== '')
}
