/** Flows on a host, as a file of packets tells them: whether the last packet meets a rule, on the host that the rules make likely or on one of its own. */

import type { Backend } from '../ir/hooks.ts'
import type { Rule, Ruleset } from '../ir/ruleset.ts'
import { readPacket } from '../packet/notation.ts'
import type { Probe } from '../packet/probe.ts'
import { writeProbe } from '../packet/write-packet.ts'
import { trace } from '../simulate/trace.ts'
import { makeWorld } from '../simulate/world.ts'
import { assumedTopology } from '../topology/assumed.ts'
import type { Ipset, Topology } from '../topology/topology.ts'

/** Packets in the packet notation, sent one after the other into a world of their own. */
export interface WitnessFlow {
  readonly packets: readonly string[]
  /** Their host; undefined: the one that rules and packets make likely. */
  readonly host: Topology | undefined
  /** Free variables by their keys. */
  readonly conditions: ReadonlyMap<string, boolean>
}

/** Rules, and what a search knows of them. `rulesets` has the ruleset alone. */
export interface WitnessRules {
  readonly ruleset: Ruleset
  readonly rulesets: readonly Ruleset[]
  readonly backend: Backend
  /** Kernel sets whose content is known. */
  readonly ipsets: readonly Ipset[]
}

/** Returns a host with the kernel sets that are known. */
export function withIpsets({ ipsets }: WitnessRules, topology: Topology): Topology {
  return ipsets.length === 0 ? topology : { ...topology, namespaces: topology.namespaces.map(namespace => ({ ...namespace, ipsets })) }
}

/** Returns the ids of the rules that packets of the flow meet in the simulator: the flow as it is read back from its text. */
export function rulesMetBy(rules: WitnessRules, { packets, host, conditions }: WitnessFlow): ReadonlySet<number> {
  const { rulesets, ruleset, backend } = rules
  const probes = packets.flatMap(text => {
    const reading = readPacket(text)
    return reading.ok && reading.value.kind === 'probe' ? [reading.value.probe] : []
  })
  if (probes.length < packets.length) return new Set()
  const world = makeWorld({ topology: withIpsets(rules, host ?? assumedTopology(rulesets, probes)), rulesets: [ruleset], backend })
  return new Set(probes.flatMap(probe => trace(world, probe, { assume: conditions }).events.flatMap(event => (event.kind === 'rule' ? [event.place.rule.id] : []))))
}

/** To guess a host from so many rules takes longer than to send the packet. */
export const LARGE = 1000

/** Returns the flow on the host that it makes likely, or else on its own, in as few words as do; undefined where it meets the rule on neither. */
export function confirmedFlow(rules: WitnessRules, rule: Rule, probes: readonly Probe[], options: { readonly ownHost: () => Topology; readonly conditions: ReadonlyMap<string, boolean> }): WitnessFlow | undefined {
  const { conditions } = options
  const ways = [probes.map(probe => writeProbe(withoutSender(probe), { brief: true })), probes.map(probe => writeProbe(withoutPlace(probe)))]
  for (const host of rules.ruleset.ruleCount > LARGE ? [options.ownHost()] : [undefined, options.ownHost()]) {
    for (const packets of ways) {
      const flow: WitnessFlow = { packets, host, conditions }
      if (rulesMetBy(rules, flow).has(rule.id)) return flow
    }
  }
  return undefined
}

function withoutPlace({ namespace: _, packet, ...place }: Probe): Probe {
  const { payload, socket, ...headers } = packet
  const hasOwner = socket?.uid !== undefined
  return { ...place, packet: { ...headers, ...(payload === undefined || payload.length === 0 ? {} : { payload }), ...(hasOwner ? { socket } : {}) } }
}

/** Nobody asks for the link address or the socket that sent most packets. */
function withoutSender(probe: Probe): Probe {
  const { packet, ...place } = withoutPlace(probe)
  const { macSource: _, socket: __, ...others } = packet
  return { ...place, packet: others }
}
