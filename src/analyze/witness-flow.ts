/** Flows on a host, as a file of packets tells them: whether the last packet meets a rule, on the host that the rules make likely or on one of its own. */

import type { Backend } from '../ir/hooks.ts'
import type { Rule, Ruleset } from '../ir/ruleset.ts'
import { readPacket } from '../packet/notation.ts'
import type { Probe } from '../packet/probe.ts'
import { writeProbe } from '../packet/write-packet.ts'
import type { PathStep } from '../simulate/trace-events.ts'
import type { RuleRef } from './rule-reach.ts'
import { legsOf, sendThrough } from '../simulate/journey.ts'
import { makeWorld } from '../simulate/world.ts'
import type { World } from '../simulate/world.ts'
import { leadsOut } from './surroundings.ts'
import { assumedTopology } from '../topology/assumed.ts'
import { isOwnAddress } from '../topology/fib.ts'
import type { Ipset, Namespace, Topology } from '../topology/topology.ts'

/** Packets in the packet notation, sent one after the other into a world of their own. */
export interface WitnessFlow {
  readonly packets: readonly string[]
  /** Their host; undefined: the described one, or else that which rules and packets make likely. */
  readonly host: Topology | undefined
  /** Free variables by their keys. */
  readonly conditions: ReadonlyMap<string, boolean>
}

/** What is known of one rule. */
export type Witness =
  /** The last of the packets, or what the host answers to it, reaches the rule in the simulator. */
  | Found
  /** Packets reach its table that match it, but none was found that the simulator brings there. */
  | { readonly kind: 'unconfirmed'; readonly at: RuleRef; readonly why: string }
  /** No packet reaches it: in its own table, or on the described host. */
  | { readonly kind: 'dead'; readonly at: RuleRef; readonly where: 'table' | 'host' }

/** Packets that meet a rule. */
export interface Found {
  readonly kind: 'packets'
  readonly at: RuleRef
  readonly flow: WitnessFlow
  /** The rule that the flow was found for, where that is another one. */
  readonly of?: RuleRef
}

/** A namespace of a described world, and the rules of all its namespaces. */
export interface WitnessPlace {
  readonly topology: Topology
  readonly namespace: Namespace
  readonly rulesetsOf: ReadonlyMap<string, readonly Ruleset[]>
}

/** Rules, and what a search knows of them. `rulesets` has the ruleset alone. */
export interface WitnessRules {
  readonly ruleset: Ruleset
  readonly rulesets: readonly Ruleset[]
  readonly backend: Backend
  /** Kernel sets whose content is known. */
  readonly ipsets: readonly Ipset[]
  /** Where the rules are loaded, where that is told: packets are sent there and nowhere else. */
  readonly place: WitnessPlace | undefined
  /** Told of every flow that is sent: the rules that it meets, and the last of them on its way. */
  readonly onSent?: (flow: WitnessFlow, sent: SentFlow) => void
}

/** Returns a host with the kernel sets that are known. */
export function withIpsets({ ipsets }: WitnessRules, topology: Topology): Topology {
  return ipsets.length === 0 ? topology : { ...topology, namespaces: topology.namespaces.map(namespace => ({ ...namespace, ipsets })) }
}

/** Returns a fresh world with the rules: the described one, or else the host. */
export function worldFor({ place, ruleset, backend }: WitnessRules, host: Topology): World {
  return place ? makeWorld({ topology: place.topology, rulesets: [], rulesetsOf: place.rulesetsOf, backend }) : makeWorld({ topology: host, rulesets: [ruleset], backend })
}

/** Returns the host that packets are sent to which name none: the described one, or that which rules and packets make likely. */
export function hostOf(rules: WitnessRules, probes: readonly Probe[]): Topology {
  return rules.place?.topology ?? withIpsets(rules, assumedTopology(rules.rulesets, probes))
}

/** Returns the packets of a flow as they are read back from their texts; undefined where one cannot be read. */
export function probesOf(packets: readonly string[]): readonly Probe[] | undefined {
  const probes = packets.flatMap(text => {
    const reading = readPacket(text)
    return reading.ok && reading.value.kind === 'probe' ? [reading.value.probe] : []
  })
  return probes.length < packets.length ? undefined : probes
}

/** Returns the ids of the rules that packets of the flow meet in the simulator: the flow as it is read back from its text. */
export function rulesMetBy(rules: WitnessRules, flow: WitnessFlow): ReadonlySet<number> {
  return sendFlow(rules, flow).met
}

/** What came of a flow. */
export interface SentFlow {
  /** Rules by their ids. */
  readonly met: ReadonlySet<number>
  /** Free variables that the simulator had to assume to be false. */
  readonly assumed: ReadonlySet<string>
  /** The last rule that its packets met. */
  readonly last: PathStep | undefined
}

function sendFlow(rules: WitnessRules, { packets, host, conditions }: WitnessFlow): SentFlow {
  const probes = probesOf(packets) ?? []
  const { ruleset, place } = rules
  const world = worldFor(rules, host ? withIpsets(rules, host) : hostOf(rules, probes))
  const legs = probes.flatMap(probe => legsOf(sendThrough(world, probe, { record: 'none', assume: conditions }).start))
  const here = legs.filter(({ namespace }) => place === undefined || namespace === place.namespace.name)
  const path = here.flatMap(({ trace }) => trace.way.path)
  return {
    met: new Set(path.flatMap(step => ruleAt(ruleset, step)?.id ?? [])),
    last: path.findLast(({ number }) => number !== 'policy'),
    assumed: new Set(legs.flatMap(({ trace }) => trace.assumed.map(({ key }) => key))),
  }
}

/** Returns the rule of a step; undefined of a chain policy. */
export function ruleAt({ tables }: Ruleset, { table, chain, number }: PathStep): Rule | undefined {
  return number === 'policy' ? undefined : tables.find(({ name }) => name === table)?.chainByName.get(chain)?.rules[number - 1]
}

/** To guess a host from so many rules takes longer than to send the packet. */
export const LARGE = 1000

/** How a flow may be. */
export interface FlowOptions {
  /** A host on which the packets pass, for where none is described. */
  readonly ownHost?: () => Topology
  /** What headers do not decide, by the simulator's keys, where it has to assume something: what a match remembers of packets is its own affair. */
  readonly wanted: ReadonlyMap<string, boolean>
  /** What is taken to be so from the beginning, whatever matches remember. */
  readonly given?: ReadonlyMap<string, boolean>
}

/** Returns the flow on the described host; without one on the host that it makes likely, or else on its own. In as few words as do; undefined where it does not meet the rule. */
export function confirmedFlow(rules: WitnessRules, rule: Rule, probes: readonly Probe[], { ownHost, wanted, given = new Map() }: FlowOptions): WitnessFlow | undefined {
  const { place } = rules
  if (place && !probes.every(probe => isSendable(place, probe))) return undefined
  const named = probes.map(probe => withoutPlace(probe, place))
  const ways = [named.map(probe => writeProbe(withoutSender(probe), { brief: true })), named.map(probe => writeProbe(probe))]
  const isGuessed = place !== undefined || ownHost === undefined || rules.ruleset.ruleCount <= LARGE
  const hosts = [...(isGuessed ? [undefined] : []), ...(place !== undefined || ownHost === undefined ? [] : [ownHost()])]
  for (const host of hosts) {
    for (const packets of ways) {
      const flow = settledFlow(rules, rule, { packets, host, conditions: given }, wanted)
      if (flow) return flow
    }
  }
  return undefined
}

/** With more assumptions than these a packet says nothing to anybody. */
export const MOST_ASSUMED = 8

/** So many questions of chance and of unknown content are answered for one flow. */
const MOST_ANSWERS = 8

/** Returns the flow with what has to be so for it to meet the rule. */
function settledFlow(rules: WitnessRules, rule: Rule, flow: WitnessFlow, wanted: ReadonlyMap<string, boolean>): WitnessFlow | undefined {
  const answers = new Map(flow.conditions)
  for (let round = 0; round < MOST_ANSWERS; round += 1) {
    const sent = sendFlow(rules, { ...flow, conditions: answers })
    const { met, assumed } = sent
    const open = [...assumed].flatMap(key => {
      const value = wantedOf(wanted, key)
      return value === undefined ? [] : [{ key, value }]
    })
    const settled: WitnessFlow = { ...flow, conditions: new Map([...answers, ...open.filter(({ value }) => !value).map(({ key }) => [key, false] as const)]) }
    rules.onSent?.(settled, sent)
    if (met.has(rule.id)) return settled
    const next = open.find(({ value }) => value)
    if (!next) return undefined
    answers.set(next.key, true)
  }
  return undefined
}

/** Chance is drawn for each rule; in the sets of one table it has one variable for all. */
function wantedOf(wanted: ReadonlyMap<string, boolean>, key: string): boolean | undefined {
  return wanted.get(key) ?? wanted.get(key.replace(/ of rule \d+ in \S+ of \S+$/, ''))
}

/** The first namespace need not be named. */
function withoutPlace({ namespace, packet, ...at }: Probe, place: WitnessPlace | undefined): Probe {
  const { payload, socket, ...headers } = packet
  const hasOwner = socket?.uid !== undefined
  const isElsewhere = place !== undefined && namespace !== undefined && namespace !== place.topology.namespaces[0]?.name
  return { ...at, ...(isElsewhere ? { namespace } : {}), packet: { ...headers, ...(payload === undefined || payload.length === 0 ? {} : { payload }), ...(hasOwner ? { socket } : {}) } }
}

/** Nobody asks for the link address or the socket that sent most packets. */
function withoutSender({ packet, ...at }: Probe): Probe {
  const { macSource: _, socket: __, ...others } = packet
  return { ...at, packet: others }
}

/** Tells whether somebody could send the packet: by a device that leads out of the described world, or from a host that has the address. */
export function isSendable({ topology }: WitnessPlace, { inDevice, namespace, packet }: Probe): boolean {
  const at = topology.namespaces.find(({ name }) => name === (namespace ?? topology.namespaces[0]?.name))
  if (!at) return false
  return inDevice === undefined ? isOwnAddress(at, packet.src) : at.devices.some(device => device.name === inDevice && device.up && leadsOut(at, device, topology.wires))
}
