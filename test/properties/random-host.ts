/** The host on which random policies are tried: its topology, packets to send there, and policies compiled for it. */

import type { Chance } from '../chance.ts'
import { readAddress, writePrefix } from '../../src/net/address.ts'
import { makePacket } from '../../src/packet/packet.ts'
import type { Packet } from '../../src/packet/packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import type { CompiledPolicy } from '../../src/policy/compile.ts'
import { resolvePolicy } from '../../src/policy/resolve.ts'
import type { ResolvedPolicy } from '../../src/policy/resolved.ts'
import { readTopology } from '../../src/topology/load.ts'
import type { Topology } from '../../src/topology/topology.ts'
import type { Sent } from './policy-meaning.ts'
import { includes, isOwn, OWN } from './random-places.ts'

const OTHERS = [
  '198.51.100.7', '198.51.100.70', '203.0.113.9', '192.168.10.5', '192.168.10.200', '10.0.1.10', '10.0.1.20', '172.17.0.2', '100.64.9.1',
  '2001:db8:5::7', '2001:db8:ff::1', '2001:db8:a::5', '2001:db8:b::10',
] as const
const NETWORKS = [['192.168.10.0/24', 'eth1'], ['10.0.1.0/24', 'eth2'], ['172.17.0.0/16', 'docker0'], ['2001:db8:a::/64', 'eth1'], ['2001:db8:b::/64', 'eth2']] as const

const TOPOLOGY = readTopology({ path: 'host.yaml', text: `
devices:
  eth0: [203.0.113.2/24, 2001:db8::2/64]
  eth1: [192.168.10.1/24, 2001:db8:a::1/64]
  eth2: [10.0.1.1/24, 2001:db8:b::1/64]
  docker0: 172.17.0.1/16
routes: [default via 203.0.113.1 dev eth0, default via 2001:db8::1 dev eth0]
sysctls: { net.ipv4.ip_forward: 1, net.ipv6.conf.all.forwarding: 1, net.ipv4.conf.all.rp_filter: 0 }
` }).value

/** Returns a policy and its rules; throws where the text has errors. */
export function compileText(text: string): { readonly value: ResolvedPolicy; readonly compiled: CompiledPolicy } {
  const { value, diagnostics } = resolvePolicy({ path: 'random.gate', text }, () => ({ problem: 'nothing is included' }))
  if (!value) throw new Error(`${diagnostics.map(({ message }) => message).join('\n')}\n${text}`)
  return { value, compiled: compilePolicy(value) }
}

/** Returns a random packet that begins a connection. */
export function makeSent({ pick, once }: Chance): Sent {
  const family = once(3) ? 'ipv6' : 'ipv4'
  const isOf = (address: string): boolean => address.includes(':') === (family === 'ipv6')
  const isMade = once(5)
  const src = pick((isMade ? OWN : OTHERS).filter(isOf))
  const dst = pick([...OTHERS, ...OTHERS, ...OWN].filter(isOf).filter(address => address !== src))
  const device = once(8) ? pick(['eth0', 'eth1', 'eth2', 'docker0']) : routeOf(src)
  const from = isMade ? {} : { inDevice: device }
  const what = pick(['tcp', 'tcp', 'tcp', 'udp', 'ping', 'gre'] as const)
  if (what === 'gre') return { family, ...from, src, dst, protocol: 47 }
  if (what === 'ping') return { family, ...from, src, dst, protocol: family === 'ipv4' ? 1 : 58, icmpType: family === 'ipv4' ? 8 : 128 }
  return { family, ...from, src, dst, protocol: what === 'tcp' ? 6 : 17, sport: pick([40_000, 40_001, 53, 80]), dport: pick([22, 53, 80, 85, 443, 8080, 9999]) }
}

/** Returns the device by which the host sends to an address, '' for its own. */
export function routeOf(address: string): string {
  if (isOwn(address)) return ''
  return NETWORKS.find(([prefix]) => includes(prefix, address))?.[1] ?? 'eth0'
}

const SYN = 0x02
const ACK = 0x10

/** Returns the packet as the simulator takes it. */
export function probeOf({ inDevice, src, dst, protocol, sport, dport, icmpType }: Sent, role: 'begins' | 'answers' = 'begins'): Probe {
  const packet: Packet = makePacket({
    src: readAddress(src) ?? 0, dst: readAddress(dst) ?? 0, protocol,
    ...(sport === undefined || dport === undefined ? {} : { sport, dport }),
    ...(protocol === 6 ? { tcp: { flags: role === 'begins' ? SYN : SYN | ACK, seq: 0, ack: 0, window: 65535, optionKinds: [] } } : {}),
    ...(icmpType === undefined ? {} : { icmp: { type: icmpType, code: 0, id: 1, sequence: 1 } }),
  })
  return { packet, ...(inDevice === undefined ? {} : { inDevice }) }
}

/** Returns the host with the ipsets of a policy. */
export function hostWith({ ipv4, ipv6 }: CompiledPolicy['rules']): Topology {
  const ipsets = [...ipv4.ipsets, ...ipv6.ipsets].map(({ name, family, prefixes }) => ({ name, type: 'hash:net', family: family === 'ipv4' ? 'inet' as const : 'inet6' as const, entries: prefixes.map(prefix => ({ text: writePrefix(prefix), nomatch: false })) }))
  return { ...TOPOLOGY, namespaces: TOPOLOGY.namespaces.map(namespace => ({ ...namespace, ipsets })) }
}
