/**
 * Rules that no packet matches on its way through all tables, though some would in their own table alone: what nat rewrote, what another table
 * ended. All connections are taken to have begun under these rules.
 */

import type { Backend } from '../ir/hooks.ts'
import { eachRule } from '../ir/ruleset.ts'
import type { Rule, Ruleset, Table } from '../ir/ruleset.ts'
import { effectsOf, predicateOf } from '../extensions/meaning-of.ts'
import { CT_STATE } from '../meaning/fields.ts'
import { all } from '../meaning/predicate.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { isTooBig } from '../packetset/packet-sets.ts'
import type { Decision, Fate, FlowState } from '../symbolic/fate.ts'
import { knownPackets } from '../symbolic/known-connections.ts'
import type { KnownPackets } from '../symbolic/known-connections.ts'
import { isAnswer, relatedAnswers, relatedErrors, unansweredPackets } from '../symbolic/later-packets.ts'
import type { PacketClass } from '../symbolic/packet-class.ts'
import { makeSpace, reachableSets } from '../symbolic/reachable-sets.ts'
import type { Reached, Space, Start } from '../symbolic/reachable-sets.ts'
import { constantOf } from '../symbolic/value.ts'
import type { Ipset, Namespace } from '../topology/topology.ts'
import { causesAcross } from './across-causes.ts'
import type { AcrossCause } from './across-causes.ts'
import type { RuleRef } from './rule-reach.ts'
import { unlessTooBig } from './unless-too-big.ts'

/** A rule that other tables leave without packets. */
export interface AcrossTables {
  readonly at: RuleRef
  /** What conntrack finds INVALID does match: nat leaves it as it is. */
  readonly isInvalidOnly: boolean
  /** In the order in which packets come to them; none where it is nat's turning back of answers. */
  readonly causes: readonly AcrossCause[]
}

/** Without a namespace every network is possible. */
export interface AcrossOptions {
  readonly backend: Backend
  readonly namespace?: Namespace
  /** Beyond so many nodes of sets the tables are too big to be run together (default 1,500,000). */
  readonly mostNodes?: number
  /** Kernel sets whose content is known, where no namespace has them. */
  readonly ipsets: readonly Ipset[]
}

/** What was found, and why there may be more: the tables are too big together, or something is not followed. */
export interface AcrossReport {
  readonly found: readonly AcrossTables[]
  readonly open?: 'tooBig' | 'notFollowed'
}

/** What seconds allow. */
const MOST_NODES = 1_500_000

/** Longer rulesets would need more nodes than these: that is said at once. */
const MOST_RULES = 3000

const STARTS: readonly Start[] = ['arrive', 'make']

/** Returns the rules of `live`, which packets match in their own tables, that none does on its way through all of them. */
export function deadAcrossTables(ruleset: Ruleset, live: readonly RuleRef[], { backend, namespace, ipsets, mostNodes = MOST_NODES }: AcrossOptions): AcrossReport {
  if (ruleset.tables.every(isIdle)) return { found: [] }
  if (ruleset.ruleCount > MOST_RULES) return { found: [], open: 'tooBig' }
  try {
    const space = makeSpace({ family: ruleset.family, rulesets: [ruleset], backend, ipsets, nodeLimit: mostNodes, ...(namespace ? { namespace } : {}) })
    const asked = live.filter(at => at.chain.table !== 'raw' && !mayMatchIcmp(space, at))
    if (asked.length === 0) return { found: [] }
    const meetings = meetRules(space, ruleset, new Set(asked.map(({ rule }) => rule.id)))
    const unmet = asked.filter(({ rule }) => !meetings.met.has(rule.id))
    if (unmet.length === 0) return { found: [] }
    if (meetings.open) return { found: [], open: meetings.open }
    const ids = new Set(unmet.map(({ rule }) => rule.id))
    const causes = causesAcross(space, ruleset, unmet, { decisions: meetings.decisions, metIn: other => meetRules(space, other, ids).met })
    return { found: unmet.flatMap(at => (causes.has(at.rule.id) ? [{ at, isInvalidOnly: meetings.invalid.has(at.rule.id), causes: causes.get(at.rule.id) ?? [] }] : [])) }
  } catch (error) {
    if (!isTooBig(error)) throw error
    return { found: [], open: 'tooBig' }
  }
}

/**
 * Returns those of some rules that no packet at all meets on a described host, whatever sees to it: its routes, its addresses, other tables. None where the tables
 * are too big together or something is not followed. Where frames cross bridges, which is not routing, those of which the cause is known.
 */
export function unmetOnHost(ruleset: Ruleset, rules: readonly RuleRef[], { backend, namespace, mostNodes = MOST_NODES }: Omit<AcrossOptions, 'ipsets'> & { readonly namespace: Namespace }): readonly RuleRef[] {
  if (ruleset.ruleCount > MOST_RULES) return []
  if (namespace.devices.some(({ kind }) => kind === 'bridge')) return deadAcrossTables(ruleset, rules, { backend, namespace, mostNodes, ipsets: [] }).found.flatMap(({ at, isInvalidOnly }) => (isInvalidOnly ? [] : [at]))
  return unlessTooBig<readonly RuleRef[]>(() => {
    const space = makeSpace({ family: ruleset.family, rulesets: [ruleset], backend, nodeLimit: mostNodes, namespace })
    const asked = rules.filter(at => !mayMatchIcmp(space, at))
    if (asked.length === 0) return []
    const { met, invalid, open } = meetRules(space, ruleset, new Set(asked.map(({ rule }) => rule.id)))
    return open ? [] : asked.filter(({ rule }) => !met.has(rule.id) && !invalid.has(rule.id))
  }, [], () => undefined)
}

/** ICMP errors come about any packet and from anywhere, this host's own among them: rules that match ICMP are taken to meet some. */
function mayMatchIcmp({ sets, family, backend }: Space, { rule }: RuleRef): boolean {
  const icmp = family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6
  return sets.meets(sets.setOf(all(rule.matches.map(use => predicateOf(use, family, backend)))), sets.setOfField('ip.protocol', icmp, icmp))
}

/** The filter table ends packets, but hardly any other table asks after it; one by itself takes nothing away from others. */
function isIdle({ name, chains }: Table): boolean {
  return name === 'filter' || chains.every(({ rules, policy }) => rules.length === 0 && policy !== 'DROP')
}

/** Which of some rules are met by packets of connections or untracked ones, and which by INVALID ones. */
interface Meetings {
  readonly met: ReadonlySet<number>
  readonly invalid: ReadonlySet<number>
  /** On packets that begin their way. */
  readonly decisions: readonly Decision[]
  /** Why packets may meet other rules too. */
  readonly open: AcrossReport['open']
}

/** Sends all packets that there can be, kind after kind, until each of the rules was met. */
function meetRules(space: Space, ruleset: Ruleset, wanted: ReadonlySet<number>): Meetings {
  const met = new Set<number>()
  const invalid = new Set<number>()
  const notes = new Set<string>()
  const onMatch = (rule: Rule, packets: PacketClass): void => {
    if (wanted.has(rule.id)) (isInvalid(packets) ? invalid : met).add(rule.id)
  }
  const send = (start: Start, state: FlowState, known?: readonly KnownPackets[]): Reached | undefined => {
    if (met.size === wanted.size) return undefined
    const reached = reachableSets(space, ruleset, { start, state, onMatch, ...(known ? { known } : {}) })
    for (const note of reached.notes) notes.add(note)
    return reached
  }
  const begun = STARTS.map(start => send(start, 'new'))
  const decisions = begun.flatMap(one => one?.decisions ?? [])
  if (met.size === wanted.size) return { met, invalid, decisions, open: undefined }
  if (someConnectionsMeet(space, begun, { send, isDone: () => met.size === wanted.size })) return { met, invalid, decisions, open: undefined }
  for (const [index, from] of STARTS.entries()) {
    const connections = connectionsOf(space, ruleset, begun[index]?.fates ?? [], notes)
    if (!connections) return { met, invalid, decisions, open: 'tooBig' }
    const { accepted, rejected } = connections
    for (const start of STARTS) {
      const goesOn = comingBy(space, accepted, start === from)
      send(start, 'known', goesOn)
      send(start, 'again', unansweredPackets(space, goesOn))
      send(start, 'known', relatedErrors(space, [...accepted, ...rejected]))
      send(start, 'known', relatedAnswers(space, rejected))
    }
  }
  for (const start of STARTS) for (const state of ['expected', 'invalid'] as const) send(start, state)
  const isFollowed = [...notes].every(note => note.startsWith(HARMLESS)) && !hasHelpers(ruleset) && !untracksOwn(ruleset) && !decisions.some(({ verdict }) => verdict === 'queue')
  return { met, invalid, decisions, open: met.size === wanted.size || isFollowed ? undefined : 'notFollowed' }
}

/** Most rules about later packets are met by those of a few connections, of which each is quickly followed alone: one of each fate. Returns whether all rules were. */
function someConnectionsMeet(space: Space, begun: readonly (Reached | undefined)[], { send, isDone }: { readonly send: (start: Start, state: FlowState, known: readonly KnownPackets[]) => void; readonly isDone: () => boolean }): boolean {
  const { sets } = space
  for (const [index, from] of STARTS.entries()) {
    for (const fate of begun[index]?.fates ?? []) {
      const cube = sets.cubeIn(fate.set)
      const connection = cube && knownPackets({ ...space, note: () => {} }, [{ ...fate, set: sets.setOfCube(cube) }])
      for (const start of STARTS) send(start, 'known', comingBy(space, connection ?? [], start === from))
      if (isDone()) return true
    }
  }
  return false
}

/** Without routes the kernel cannot be asked whether it refuses what another host sends in the name of this one. */
function comingBy({ namespace }: Space, known: readonly KnownPackets[], isSameStart: boolean): readonly KnownPackets[] {
  return namespace !== undefined || isSameStart ? known : known.filter(isAnswer)
}

/** The connections that packets began: those that got through, and those of which the first packet was answered by an error instead. */
function connectionsOf(space: Space, ruleset: Ruleset, fates: readonly Fate[], notes: Set<string>): Readonly<Record<'accepted' | 'rejected', readonly KnownPackets[]>> | undefined {
  const options = { ...space, note: (words: string) => void notes.add(words) }
  // Where nobody listens the stack answers, behind all rules.
  const accepted = knownPackets(options, fates.map(fate => (fate.kind === 'reject' && fate.by?.kind === 'kernel' ? { ...fate, kind: 'local' } : fate)))
  const rejected = knownPackets(options, fates.flatMap(fate => (mayBeAnswered(fate) ? [{ ...fate, kind: 'local' as const }] : [])))
  if (!accepted || !rejected) return undefined
  const view = changesConnectionMarks(ruleset) ? withoutMark : (packets: KnownPackets) => packets
  return { accepted: accepted.map(view), rejected: rejected.map(view) }
}

/** REJECT answers, and the kernel says why it gives a packet up, as where its ttl is used up. */
function mayBeAnswered({ kind, by }: Fate): boolean {
  return by?.kind === 'kernel' ? kind === 'drop' : kind === 'reject'
}

/** What is not followed and no rule about addresses asks for. */
const HARMLESS = 'changes of TCP options'

function isInvalid({ rewriting }: PacketClass): boolean {
  const state = rewriting.values.get('ct.state')
  return rewriting.connection === 'none' && state !== undefined && constantOf(state) === BigInt(CT_STATE.INVALID)
}

/** Later packets may find another mark on their connection than the first one left there. */
function withoutMark({ set, translation }: KnownPackets): KnownPackets {
  return { set, translation: new Map([...translation].filter(([field]) => field !== 'ct.mark')) }
}

function changesConnectionMarks(ruleset: Ruleset): boolean {
  return someRule(ruleset, ({ target }) => target?.kind === 'target' && effectsOf(target, ruleset.family).some(effect => effect.kind === 'assign' && effect.field === 'ct.mark'))
}

/** What a helper announces may be translated as its master is. */
function hasHelpers(ruleset: Ruleset): boolean {
  return someRule(ruleset, ({ target }) => target?.kind === 'target' && effectsOf(target, ruleset.family).some(effect => effect.kind === 'track' && effect.helper !== undefined))
}

/** What the kernel answers keeps the connection of the packet that it answers, whatever raw says of what the host sends. */
function untracksOwn(ruleset: Ruleset): boolean {
  let found = false
  eachRule(ruleset, ({ target }, _number, { hook }) => (found ||= hook !== 'PREROUTING' && target?.kind === 'target' && effectsOf(target, ruleset.family).some(({ kind }) => kind === 'untrack')))
  return found
}

function someRule(ruleset: Ruleset, holds: (rule: Rule) => boolean): boolean {
  let found = false
  eachRule(ruleset, rule => (found ||= holds(rule)))
  return found
}
