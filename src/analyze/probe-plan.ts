/**
 * Flows that exercise as many rules of a ruleset as can be. Every flow was tried in the simulator, so it meets the rule that it is for;
 * where none was found the reason is told.
 */

import { memoryOf } from '../extensions/meaning-of.ts'
import type { Rule } from '../ir/ruleset.ts'
import type { Backend } from '../ir/hooks.ts'
import type { Family } from '../net/address.ts'
import { deviceMatches } from '../net/device-name.ts'
import { writeProbe } from '../packet/write-packet.ts'
import type { Probe } from '../packet/probe.ts'
import type { PathStep } from '../simulate/trace-events.ts'
import type { World } from '../simulate/world.ts'
import { allHold, literalsOn } from './field-values.ts'
import { draftFlows, repeatedFlows } from './flow-shapes.ts'
import { alternativesOf } from './literals.ts'
import type { Literal, Wish } from './literals.ts'
import { hitsOf, simulateFlow, stepKey } from './probe-flow.ts'
import type { Flow, SentProbe } from './probe-flow.ts'
import { approachesTo, goalsOf, predicateIn, speaksOf } from './probe-goal.ts'
import type { Approach, Enabler, Goal, SearchedRuleset } from './probe-goal.ts'
import type { Surroundings } from './surroundings.ts'

/** A search's circumstances. */
export interface Search {
  readonly searched: SearchedRuleset
  readonly surroundings: Surroundings
  /** A fresh world. */
  readonly newWorld: () => World
  /** Whether a packet can really be sent: the machine may not be able to make all kinds itself. */
  readonly canSend: (probe: Probe) => boolean
}

/** A flow and the goals that it meets in the simulator, as `stepKey` names them. */
export interface PlannedFlow {
  readonly flow: Flow
  readonly meets: ReadonlySet<string>
}

/** What was found for the goals. */
export interface ProbePlan {
  readonly flows: readonly PlannedFlow[]
  readonly missed: readonly { readonly goal: Goal; readonly why: string }[]
}

/** Looks for flows that meet all goals of a ruleset; goals that an earlier flow meets on its way need none of their own. */
export function planProbes(search: Search): ProbePlan {
  const flows: PlannedFlow[] = []
  const missed: { goal: Goal; why: string }[] = []
  const met = new Set<string>()
  for (const goal of goalsOf(search.searched.ruleset)) {
    if (met.has(keyOf(goal))) continue
    const found = searchFlow(goal, search, flows.length)
    if (typeof found === 'string') missed.push({ goal, why: found })
    else {
      flows.push(found)
      for (const key of found.meets) met.add(key)
    }
  }
  return { flows, missed: missed.filter(({ goal }) => !met.has(keyOf(goal))) }
}

/** Returns the name of a goal, as `hitsOf` counts it. */
export function keyOf(goal: Goal): string {
  return stepKey({ table: goal.table, chain: goal.chain.name, number: goal.number })
}

/** Rounds of learning from what stood in the way, and flows that are tried in each. */
const ROUNDS = 8
const TRIES = 40

/** Looks for a flow that meets one goal; a text says why there is none. `turn` varies ports, so that flows of several goals differ. */
export function searchFlow(goal: Goal, search: Search, turn: number): PlannedFlow | string {
  const approaches = approachesTo(goal, search.searched)
  if (approaches.length === 0) return 'nothing jumps to its chain'
  const failure: Failure = { blockers: new Map(), unsendable: 0, tried: 0 }
  for (const approach of approaches) {
    for (const variant of [undefined, ...enablersFor(approach, search.searched.enablers)]) {
      const found = approachGoal({ goal, approach, enabler: variant, turn, search, failure })
      if (found) return found
    }
  }
  return repeatGoal(goal, approaches, search, turn) ?? whyNot(goal, search, failure)
}

/** A rule may wait for matches that count packets. */
function repeatGoal(goal: Goal, approaches: readonly Approach[], search: Search, turn: number): PlannedFlow | undefined {
  const { surroundings, searched } = search
  const counts = searched.ruleset.tables.some(table => table.name === goal.table && table.chains.some(chain => chain.rules.some(({ matches }) => matches.some(use => memoryOf(use, surroundings.family) !== undefined))))
  if (!counts) return undefined
  for (const { hook, wishes } of approaches) {
    for (const literals of alternativesOf(wishes).slice(0, 4)) {
      for (const flow of repeatedFlows(literals, surroundings, { turn, towards: hook === 'INPUT' ? 'host' : 'others', origins: hook === 'OUTPUT' ? 'local' : hook === 'POSTROUTING' ? 'any' : 'arriving', count: TRIES })) {
        const sent = simulateFlow(search.newWorld(), flow)
        const meets = new Set(hitsOf(sent).get(surroundings.namespace.name)?.keys() ?? [])
        if (meets.has(keyOf(goal)) && sent.every(one => search.canSend(one.probe))) return { flow, meets }
      }
    }
  }
  return undefined
}

interface Failure {
  /** How often a rule or chain's end was the last that packets met. */
  readonly blockers: Map<string, number>
  unsendable: number
  tried: number
}

interface Attempt {
  readonly goal: Goal
  readonly approach: Approach
  readonly enabler: Enabler | undefined
  readonly turn: number
  readonly search: Search
  readonly failure: Failure
}

/** Tries packets that the wishes allow; a rule that takes them before they get there becomes a wish not to match it. */
function approachGoal(attempt: Attempt): PlannedFlow | undefined {
  const { approach, enabler, goal, search } = attempt
  const avoided = new Map<Rule, Wish>()
  for (let round = 0; round < ROUNDS; round += 1) {
    const blockers: Rule[] = []
    const lists = literalLists([...approach.wishes, ...avoided.values()], enabler)
    const perList = Math.max(4, Math.floor(TRIES / Math.max(1, lists.length)))
    for (const literals of lists.slice(0, TRIES)) {
      for (const flow of flowsFor(literals, attempt).slice(0, perList)) {
        const sent = simulateFlow(search.newWorld(), flow)
        if (!sent.every(one => search.canSend(one.probe))) {
          attempt.failure.unsendable += 1
          continue
        }
        attempt.failure.tried += 1
        const meets = new Set(hitsOf(sent).get(search.surroundings.namespace.name)?.keys() ?? [])
        if (meets.has(keyOf(goal))) return { flow, meets }
        const step = blockerOf(sent, goal)
        if (!step) continue
        attempt.failure.blockers.set(stepKey(step), (attempt.failure.blockers.get(stepKey(step)) ?? 0) + 1)
        const rule = ruleAt(step, search.searched)
        if (rule && rule !== goal.rule && !avoided.has(rule)) blockers.push(rule)
      }
    }
    const [worst] = blockers
    if (!worst) return undefined
    avoided.set(worst, { predicate: predicateIn(worst, search.surroundings.family, search.searched.backend), negated: true })
  }
  return undefined
}

/** What comes to this host over lo, it sends itself. */
function flowsFor(literals: readonly Literal[], { approach, turn, search }: Attempt): readonly Flow[] {
  const { hook } = approach
  const towards = hook === 'INPUT' ? 'host' : 'others'
  const overLo = literals.some(({ term, negated }) => !negated && term.kind === 'device' && term.field === 'device.in' && deviceMatches(term.pattern, 'lo'))
  if (overLo) return draftFlows(literals.filter(({ term }) => term.kind !== 'device'), search.surroundings, { turn, towards: 'host', origins: 'local', count: TRIES })
  const origins = hook === 'OUTPUT' ? 'local' : hook === 'POSTROUTING' ? 'any' : 'arriving'
  return draftFlows(literals, search.surroundings, { turn, towards, origins, count: TRIES })
}

/** What an enabler gives need not hold of the packet when it comes. */
function literalLists(wishes: readonly Wish[], enabler: Enabler | undefined): readonly (readonly Literal[])[] {
  if (!enabler) return alternativesOf(wishes)
  const given = GIVEN_FIELDS[enabler.gives]
  const rest = alternativesOf(wishes).map(literals => literals.filter(({ term }) => !('field' in term && given.includes(term.field))))
  return enabler.approaches.flatMap(approach => alternativesOf(approach.wishes).flatMap(own => rest.map(literals => [...own, ...literals]))).slice(0, TRIES)
}

const GIVEN_FIELDS: Readonly<Record<Enabler['gives'], readonly string[]>> = {
  destination: ['ip.dst', 'l4.dport', 'device.out', 'bridge.out', 'ct.state', 'ct.status', 'addressType.dst'],
  source: ['ct.state', 'ct.status'],
  mark: ['mark'],
  'ct.mark': ['ct.mark', 'mark'],
  untracked: ['ct.state'],
}

/** Enablers that could bring about what the approach wishes. */
function enablersFor({ wishes }: Approach, enablers: readonly Enabler[]): readonly Enabler[] {
  const lists = alternativesOf(wishes)
  const speaks = (fields: Parameters<typeof speaksOf>[1]): boolean => wishes.some(({ predicate }) => speaksOf(predicate, fields))
  return enablers.filter(({ gives, destination }) => {
    if (gives === 'mark' || gives === 'ct.mark') return speaks([gives])
    if (gives === 'untracked' || gives === 'source') return speaks(['ct.state', 'ct.status'])
    if (!speaks(['ip.dst', 'l4.dport', 'ct.state', 'ct.status', 'ct.original.dst', 'ct.original.dport'])) return false
    return destination === undefined || lists.some(literals => allHold(literalsOn(literals, 'ip.dst'), destination))
  }).slice(0, 6)
}

/** The last rule of the goal's table that the flow met, or else the last one of all. */
function blockerOf(sent: readonly SentProbe[], goal: Goal): PathStep | undefined {
  const steps = sent.at(-1)?.legs.flatMap(leg => leg.trace.way.path) ?? []
  return steps.findLast(step => step.table === goal.table && step.number !== 'policy') ?? steps.findLast(step => step.number !== 'policy') ?? steps.at(-1)
}

function ruleAt(step: PathStep, { ruleset }: SearchedRuleset): Rule | undefined {
  return step.number === 'policy' ? undefined : ruleset.tables.find(table => table.name === step.table)?.chainByName.get(step.chain)?.rules[step.number - 1]
}

/** Such a rule ends its chain; what becomes of a jump depends on the chain it leads to. */
function takesAll(rule: Rule, family: Family, backend: Backend): boolean {
  const isFinal = rule.target?.kind === 'goto' || (rule.target?.kind === 'target' && /^(ACCEPT|DROP|REJECT|RETURN)$/.test(rule.target.name))
  return isFinal && predicateIn(rule, family, backend).kind === 'always'
}

function whyNot(goal: Goal, { searched, surroundings }: Search, { blockers, unsendable, tried }: Failure): string {
  const before = goal.chain.rules.slice(0, goal.number === 'policy' ? undefined : goal.number - 1).find(rule => takesAll(rule, surroundings.family, searched.backend))
  if (before) return 'a rule before it takes every packet'
  const unknown = goal.rule?.matches.find(use => use.words !== undefined)
  if (unknown) return `\`-m ${unknown.name}\` is not known here`
  const opaque = goal.rule?.matches.find(use => !memoryOf(use, surroundings.family) && predicateIn({ ...goal.rule, matches: [use] } as Rule, surroundings.family, searched.backend).kind === 'opaque')
  if (opaque) return `whether \`-m ${opaque.name}\` matches cannot be brought about`
  const isOutput = approachesTo(goal, searched).every(({ hook }) => hook === 'OUTPUT')
  if (tried === 0 && unsendable > 0 && isOutput) return 'this host would have to send the packet itself, and only TCP and UDP can be sent from sockets'
  if (tried === 0) return 'no packet can come in as the rule wants it in this topology'
  const [worst] = [...blockers].sort((one, other) => other[1] - one[1])
  return worst ? `no packet was found that gets there; most of those tried ended at ${worst[0]}` : 'no packet was found that gets there'
}

/** Returns the packets of a flow as text. */
export function flowInWords(sent: readonly SentProbe[]): string {
  return sent.map(({ probe }) => writeProbe(withoutPlace(probe), { brief: true })).join(', then ')
}

function withoutPlace({ namespace: _, ...probe }: Probe): Probe {
  const { macSource: __, ...packet } = probe.packet
  return { ...probe, packet }
}
