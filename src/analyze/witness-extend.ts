/** Flows that go on where others ended: the answer to an accepted packet, the sender's next one, an error about it, the same packet many times over. They reach rules for known connections, and such as count packets. */

import { TCP_FLAG } from '../packet/packet.ts'
import type { Packet } from '../packet/packet.ts'
import { simulateFlow } from './probe-flow.ts'
import type { FlowStep } from './probe-flow.ts'
import type { WitnessFlow, WitnessRules } from './witness-flow.ts'
import { confirmedFlow, hostOf, probesOf, ruleAt, withIpsets, worldFor } from './witness-flow.ts'
import type { Rule, Ruleset } from '../ir/ruleset.ts'
import { memoryOf } from '../extensions/meaning-of.ts'

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
  const counts = countsPackets(rules.ruleset)
  for (const flow of flows) {
    const probes = probesOf(flow.packets) ?? []
    const host = flow.host ? withIpsets(rules, flow.host) : hostOf(rules, probes)
    for (const steps of [...continuations(probes[0]?.packet), ...(counts ? [REPEATED] : [])]) {
      const sent = simulateFlow(worldFor(rules, host), [...probes.map((probe): FlowStep => ({ kind: 'probe', probe })), ...steps])
      sent.forEach((one, index) => {
        if (index < probes.length) return
        for (const step of one.legs.flatMap(leg => (rules.place === undefined || leg.namespace === rules.place.namespace.name ? leg.trace.way.path : []))) {
          const rule = ruleAt(rules.ruleset, step)
          if (rule && !found.has(rule.id)) found.set(rule.id, () => confirmedFlow(rules, rule, sent.slice(0, index + 1).map(({ probe }) => probe), { ownHost: () => host, wanted: flow.conditions }))
        }
      })
    }
  }
  return found
}

/** More packets than the bursts and hit counts that rules usually have. */
const REPEATED: readonly FlowStep[] = Array.from({ length: 7 }, () => ({ kind: 'again' }))

/** Tells whether a rule remembers packets. */
function countsPackets(ruleset: Ruleset): boolean {
  return ruleset.tables.some(({ chains }) => chains.some(({ rules }) => rules.some(({ matches }) => matches.some(use => memoryOf(use, ruleset.family) !== undefined))))
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
