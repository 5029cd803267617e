/** Random worlds of a few namespaces and what is tried in them, the same for the same seed: half well made, half full of mistakes. */

import { readAddress } from '../../src/net/address.ts'
import type { Attempt } from '../../src/simulate/attempt.ts'
import { applyChange } from '../../src/topology/apply-change.ts'
import { makeNamespace } from '../../src/topology/topology.ts'
import type { Device, Namespace, RulesetText, Topology } from '../../src/topology/topology.ts'
import { LOOPBACK } from '../../src/topology/loopback.ts'
import { makeChance } from '../chance.ts'
import type { Chance } from '../chance.ts'

/** A world and attempts in it. */
export interface RandomWorld {
  readonly topology: Topology
  readonly attempts: readonly Attempt[]
}

/** Returns the world of a seed. */
export function randomWorld(seed: number): RandomWorld {
  const dice = makeChance(seed)
  const names = ['a', 'b', 'c', 'd', 'e'].slice(0, 2 + dice.below(4))
  const drafts = joined(names, dice)
  let topology: Topology = { namespaces: names.map(name => settled(name, drafts.get(name) ?? [], dice)), labels: [], assumptions: [] }
  const addresses = topology.namespaces.flatMap(({ devices }) => devices.flatMap(device => device.addresses.flatMap(one => (typeof one.address === 'number' && device.kind !== 'loopback' ? [text(one.address)] : []))))
  for (const { name } of topology.namespaces) {
    for (const command of routesFor(addresses, dice)) {
      const changed = applyChange(topology, { namespace: name, command })
      if (changed.ok) topology = changed.value
    }
  }
  topology = { ...topology, namespaces: topology.namespaces.map(namespace => (dice.happens(0.45) ? { ...namespace, rulesets: rulesFor(namespace, addresses, dice) } : namespace)) }
  return { topology, attempts: Array.from({ length: 10 }, () => attemptIn(topology, addresses, dice)) }
}

/** Pairs between namespaces; some of their ends on bridges, never in a circle. */
function joined(names: readonly string[], dice: Chance): ReadonlyMap<string, readonly Device[]> {
  const drafts = new Map<string, Device[]>(names.map(name => [name, []]))
  const segment = new Map<string, string>(names.map(name => [name, name]))
  const withBridge = new Set(names.filter(() => dice.happens(0.5)))
  const links = names.length - 1 + dice.below(3)
  for (let index = 0; index < links; index++) {
    const one = index < names.length - 1 ? (names[index + 1] ?? '') : dice.pick(names)
    const other = index < names.length - 1 ? (names[dice.below(index + 1)] ?? '') : dice.pick(names.filter(name => name !== one))
    const net = dice.below(3)
    const oneOnBridge = withBridge.has(one) && dice.happens(0.6)
    const otherOnBridge = withBridge.has(other) && dice.happens(0.6)
    const isCircle = oneOnBridge && otherOnBridge && segment.get(one) === segment.get(other)
    if (oneOnBridge && otherOnBridge && !isCircle) for (const [name, of] of segment) if (of === segment.get(other)) segment.set(name, segment.get(one) ?? one)
    const end = (place: string, far: string, isPort: boolean): Device => ({
      name: `v${index}`, kind: 'veth', mtu: 1500, up: dice.happens(0.97), hairpin: isPort && dice.happens(0.3), peer: { namespace: far, device: `v${index}` },
      addresses: isPort && !dice.happens(0.2) ? [] : addressesIn(net, names.indexOf(place), index, dice),
      ...(isPort ? { master: 'br0' } : {}),
    })
    drafts.get(one)?.push(end(one, other, oneOnBridge))
    drafts.get(other)?.push(end(other, one, otherOnBridge && !isCircle))
  }
  for (const name of withBridge) drafts.get(name)?.push({ name: 'br0', kind: 'bridge', mtu: 1500, up: dice.happens(0.97), hairpin: false, addresses: dice.happens(0.85) ? addressesIn(dice.below(3), names.indexOf(name), 90, dice) : [] })
  return drafts
}

function addressesIn(net: number, place: number, index: number, dice: Chance): Device['addresses'] {
  const own = { address: 0x0a000000 + net * 256 + place * 40 + index % 30 + 1, length: 24 }
  return dice.happens(0.12) ? [own, { address: 0x0a000000 + dice.below(3) * 256 + place * 40 + 35 + index % 5, length: dice.pick([24, 32]) }] : [own]
}

function settled(name: string, drafts: readonly Device[], dice: Chance): Namespace {
  const sysctls: Record<string, string> = {}
  const maybe = (key: string, probability: number, values: readonly number[]): void => {
    if (dice.happens(probability)) sysctls[key] = String(dice.pick(values))
  }
  maybe('net.ipv4.ip_forward', 0.15, [0])
  maybe('net.ipv4.conf.all.rp_filter', 0.2, [1, 2])
  maybe('net.ipv4.conf.all.arp_ignore', 0.15, [1, 2, 8])
  maybe('net.ipv4.conf.all.arp_filter', 0.1, [1])
  maybe('net.ipv4.conf.all.proxy_arp', 0.15, [1])
  maybe('net.ipv4.conf.all.accept_local', 0.1, [1])
  maybe('net.ipv4.conf.all.route_localnet', 0.1, [1])
  maybe('net.bridge.bridge-nf-call-iptables', 0.4, [0])
  maybe('net.ipv4.icmp_echo_ignore_all', 0.05, [1])
  const sockets = dice.happens(0.75) ? [{ protocol: 'tcp' as const, port: 80 }, { protocol: 'udp' as const, port: 53, address: 0 }] : []
  return makeNamespace({ name, devices: [LOOPBACK, ...drafts], sysctls, sockets })
}

function routesFor(addresses: readonly string[], dice: Chance): readonly string[] {
  if (addresses.length === 0) return []
  const via = (): string => dice.pick(addresses)
  return [
    ...Array.from({ length: 6 }, () => `ip route add default via ${via()}`).slice(0, dice.below(7)),
    ...Array.from({ length: 4 }, () => `ip route add 10.0.${dice.below(3)}.${dice.happens(0.5) ? '0/25' : '128/25'} via ${via()}`).slice(0, dice.below(5)),
    ...(dice.happens(0.1) ? [`ip route add ${dice.pick(['blackhole', 'unreachable', 'prohibit'])} ${via()}/32`] : []),
  ]
}

function rulesFor({ devices }: Namespace, addresses: readonly string[], dice: Chance): readonly RulesetText[] {
  const device = (): string => dice.pick(devices).name
  const address = (): string => (addresses.length === 0 ? '10.0.0.1' : dice.pick(addresses))
  const nat = [
    () => `-A PREROUTING -d ${address()} -p tcp --dport ${dice.pick([80, 81])} -j DNAT --to-destination ${address()}:80`,
    () => `-A PREROUTING -d ${address()} -j DNAT --to-destination ${address()}`,
    () => `-A PREROUTING -p tcp --dport 81 -j REDIRECT --to-ports 80`,
    () => `-A OUTPUT -d ${address()} -j DNAT --to-destination ${address()}`,
    () => `-A POSTROUTING -o ${device()} -j MASQUERADE`,
    () => `-A POSTROUTING -s 10.0.${dice.below(3)}.0/24 -j SNAT --to-source ${address()}`,
  ]
  const matches = [() => '', () => ` -p icmp`, () => ' -p tcp', () => ' -p udp', () => ` -s ${address()}`, () => ` -d 10.0.${dice.below(3)}.0/24`, () => ' -m conntrack --ctstate NEW', () => ' -m conntrack --ctstate RELATED,ESTABLISHED', () => ' -m conntrack --ctstate INVALID']
  const targets = ['ACCEPT', 'ACCEPT', 'DROP', 'REJECT', 'REJECT --reject-with icmp-host-unreachable', 'REJECT --reject-with icmp-admin-prohibited']
  const filter = [
    () => `-A FORWARD -i ${device()}${dice.pick(matches)()} -j ${dice.pick(targets)}`,
    () => `-A FORWARD -o ${device()}${dice.pick(matches)()} -j ${dice.pick(targets)}`,
    () => `-A FORWARD -m physdev --physdev-is-bridged -j ${dice.pick(targets)}`,
    () => `-A INPUT${dice.pick(matches)()} -j ${dice.pick(targets)}`,
    () => `-A INPUT -i ${device()}${dice.pick(matches)()} -j ${dice.pick(targets)}`,
    () => `-A OUTPUT${dice.pick(matches)()} -j ${dice.pick(targets)}`,
    () => `-A ${dice.pick(['INPUT', 'FORWARD'])} -p tcp -j REJECT --reject-with tcp-reset`,
  ]
  const lines = (rows: readonly (() => string)[], most: number): string[] => Array.from({ length: dice.below(most + 1) }, () => dice.pick(rows)())
  const policy = (probability: number): string => (dice.happens(probability) ? 'DROP' : 'ACCEPT')
  const text = [
    '*nat', ...lines(nat, 3), 'COMMIT', '*filter', `:INPUT ${policy(0.1)} [0:0]`, `:FORWARD ${policy(0.25)} [0:0]`, `:OUTPUT ${policy(0.05)} [0:0]`, ...lines(filter, 4), 'COMMIT', '',
  ].join('\n')
  return [{ family: 'ipv4', source: { path: 'rules', text } }]
}

function attemptIn({ namespaces }: Topology, addresses: readonly string[], dice: Chance): Attempt {
  const namespace = dice.pick(namespaces)
  const target = addresses.length === 0 || dice.happens(0.08) ? dice.pick(['10.0.0.250', '127.0.0.1', '192.0.2.9', '10.0.1.255']) : dice.pick(addresses)
  const destination = readAddress(target) ?? 0
  const kind = dice.pick(['ping', 'ping', 'tcp', 'tcp', 'udp'] as const)
  if (kind !== 'ping') return { kind, namespace: namespace.name, destination, port: kind === 'tcp' ? dice.pick([80, 80, 81]) : 53 }
  const device = dice.happens(0.1) ? dice.pick(namespace.devices) : undefined
  return { kind, namespace: namespace.name, destination, ...(device ? { device: device.name } : {}) }
}

function text(address: number): string {
  return [24, 16, 8, 0].map(shift => (address >>> shift) & 255).join('.')
}
