/** Flows that go on where others ended: the answer to an accepted packet, the sender's next one, an error about it. They reach rules for known connections. */

import { TCP_FLAG } from '../packet/packet.ts'
import type { Packet } from '../packet/packet.ts'
import { readPacket } from '../packet/notation.ts'
import { makeWorld } from '../simulate/world.ts'
import { assumedTopology } from '../topology/assumed.ts'
import { simulateFlow } from './probe-flow.ts'
import type { FlowStep } from './probe-flow.ts'
import type { WitnessFlow, WitnessRules } from './witness-flow.ts'
import { confirmedFlow, withIpsets } from './witness-flow.ts'
import type { Rule } from '../ir/ruleset.ts'

/** So many flows are gone on with. */
const MOST_FLOWS = 300

/** Returns a search among the continuations of flows for one that meets a rule. */
export function flowExtender(rules: WitnessRules, flows: readonly WitnessFlow[]): (rule: Rule) => WitnessFlow | undefined {
  let known: ReadonlyMap<number, () => WitnessFlow | undefined> | undefined
  return rule => {
    known ??= hitsOfAll(rules, flows.slice(0, MOST_FLOWS))
    return known.get(rule.id)?.()
  }
}

/** By rule, the first continuation that meets it. */
function hitsOfAll(rules: WitnessRules, flows: readonly WitnessFlow[]): ReadonlyMap<number, () => WitnessFlow | undefined> {
  const found = new Map<number, () => WitnessFlow | undefined>()
  for (const flow of flows) {
    const probes = flow.packets.flatMap(text => {
      const reading = readPacket(text)
      return reading.ok && reading.value.kind === 'probe' ? [reading.value.probe] : []
    })
    const host = withIpsets(rules, flow.host ?? assumedTopology(rules.rulesets, probes))
    for (const steps of continuations(probes[0]?.packet)) {
      const sent = simulateFlow(makeWorld({ topology: host, rulesets: [rules.ruleset], backend: rules.backend }), [...probes.map((probe): FlowStep => ({ kind: 'probe', probe })), ...steps])
      sent.forEach((one, index) => {
        if (index < probes.length) return
        for (const { table, chain, number } of one.legs.flatMap(leg => leg.trace.way.path)) {
          const rule = number === 'policy' ? undefined : rules.ruleset.tables.find(({ name }) => name === table)?.chainByName.get(chain)?.rules[number - 1]
          if (rule && !found.has(rule.id)) found.set(rule.id, () => confirmedFlow(rules, rule, sent.slice(0, index + 1).map(({ probe }) => probe), { ownHost: () => host, conditions: flow.conditions }))
        }
      })
    }
  }
  return found
}

/** The answer and then the sender's next packet; an error that quotes the first one. */
function continuations(first: Packet | undefined): readonly (readonly FlowStep[])[] {
  if (!first) return []
  const [type, code] = first.family === 'ipv4' ? [3, 1] : [1, 3]
  const isTcp = first.tcp !== undefined
  return [
    [isTcp ? { kind: 'answer', flags: TCP_FLAG.SYN | TCP_FLAG.ACK } : { kind: 'answer' }, isTcp ? { kind: 'again', flags: TCP_FLAG.ACK } : { kind: 'again' }],
    [{ kind: 'error', type, code }],
  ]
}
