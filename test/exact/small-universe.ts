/** A small host, the packets that differ to random rules, and what the simulator makes of each. */

import { readRuleset } from '../../src/save/read.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { readAddress } from '../../src/net/address.ts'
import { makePacket } from '../../src/packet/packet.ts'
import type { Packet } from '../../src/packet/packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import type { Outcome } from '../../src/simulate/trace-events.ts'
import { readTopology } from '../../src/topology/load.ts'
import type { Topology } from '../../src/topology/topology.ts'
import type { Chance } from '../chance.ts'

const TOPOLOGY = `
devices:
  eth0: 10.0.0.1/24
  eth1: 10.0.1.1/24
routes:
  - default via 10.0.1.254 dev eth1
`

/** Returns the host. */
export function smallTopology(): Topology {
  const { value, diagnostics } = readTopology({ path: 'small.yaml', text: TOPOLOGY })
  if (diagnostics.length > 0) throw new Error(diagnostics.map(({ message }) => message).join('\n'))
  return value
}

/** Reads rules that must be without errors. */
export function rulesetOf(text: string): Ruleset {
  const { value, diagnostics } = readRuleset([{ path: 'random.rules', text }], { family: 'ipv4' })
  const [error] = diagnostics.filter(({ severity }) => severity === 'error')
  if (error) throw new Error(`${error.message}\n${text}`)
  return value
}

const address = (text: string): number => Number(readAddress(text))
const SOURCES = ['10.0.0.5', '10.0.1.7', '198.51.100.9', '10.0.0.1'].map(address)
const DESTINATIONS = ['10.0.0.1', '10.0.1.1', '10.0.0.5', '10.0.1.7', '198.51.100.9'].map(address)

/** Returns every packet of the universe. */
export function everyPacket(): readonly Probe[] {
  const probes: Probe[] = []
  for (const inDevice of ['eth0', 'eth1', undefined]) {
    for (const src of inDevice === undefined ? ['10.0.0.1', '10.0.1.1'].map(address) : SOURCES) {
      for (const dst of DESTINATIONS) {
        for (const transport of transports()) {
          const packet = makePacket({ ...transport, src, dst, ...(inDevice === undefined ? { socket: { uid: 0, gid: 0 } } : {}) })
          probes.push(inDevice === undefined ? { packet } : { packet, inDevice })
        }
      }
    }
  }
  return probes
}

/** Returns `count` packets of the universe, drawn by lot. */
export function somePackets(chance: Chance, all: readonly Probe[], count: number): readonly Probe[] {
  return Array.from({ length: count }, () => chance.pick(all))
}

type Transport = Pick<Packet, 'protocol' | 'ttl'> & Partial<Packet>

function transports(): readonly Transport[] {
  const list: Transport[] = []
  for (const dport of [22, 80, 53]) {
    for (const sport of [1000, 40000]) {
      for (const flags of [2, 16, 18]) list.push({ protocol: 6, ttl: 64, sport, dport, tcp: { flags, seq: 0, ack: 0, window: 64240, optionKinds: [] } })
      list.push({ protocol: 17, ttl: 64, sport, dport })
    }
  }
  list.push({ protocol: 17, ttl: 1, sport: 1000, dport: 53 }, { protocol: 17, ttl: 2, sport: 1000, dport: 53 })
  list.push({ protocol: 1, ttl: 64, icmp: { type: 8, code: 0, id: 1 } }, { protocol: 1, ttl: 64, icmp: { type: 0, code: 0, id: 1 } }, { protocol: 47, ttl: 64 })
  return list
}

/** Returns what ended a packet's way, as one text; empty where it got through. */
export function endOf(outcome: Outcome): string {
  if (!('by' in outcome)) return ''
  const { by } = outcome
  return by.kind === 'rule' ? `rule ${by.place.rule.id} in ${by.place.hook} of ${by.place.table}` : by.kind === 'policy' ? `policy of ${by.place.chain.name} in ${by.place.table}` : by.reason
}
