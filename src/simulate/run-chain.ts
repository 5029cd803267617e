/** Runs a packet through one chain. Source: net/ipv4/netfilter/ip_tables.c ipt_do_table(). */

import { invariant } from '../diagnostics/diagnostic.ts'
import type { Hook, TableName } from '../ir/hooks.ts'
import { failedOption } from '../extensions/meaning-of.ts'
import { evaluate } from '../meaning/evaluate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Ternary } from '../meaning/subject.ts'
import { applyEffects } from './apply-effects.ts'
import type { Flight } from './flight.ts'
import { ipsetKey } from './ipsets.ts'
import { isLaterFragmentInNft, matchesLaterFragment } from './later-fragment.ts'
import { preparedAt, rulesOf } from './prepare.ts'
import type { PreparedChain, PreparedMatch, PreparedRule, PreparedRules } from './prepare.ts'
import { nextShown } from './rule-index.ts'
import type { Shown } from './rule-index.ts'
import type { ChainPlace, RulePlace } from './trace-events.ts'
import type { EffectVerdict, TableVerdict } from './verdict.ts'

/** A chain on the stack: `next` is the index of the rule to look at, `gotos` how many gotos led here without a return. */
interface Frame {
  readonly hook: Hook
  readonly table: TableName
  readonly depth: number
  readonly prepared: PreparedChain
  readonly contents: PreparedRules
  next: number
  readonly gotos: number
  /** Where the chain has an index. */
  readonly shown: Shown | undefined
}

/** Deeper than any ruleset that a kernel loads (65535 jumps in all). */
const DEEPEST = 65_536

/** Runs a built-in chain: where its rules decide nothing, its policy does. */
export function runBuiltInChain(flight: Flight, hook: Hook, table: TableName, prepared: PreparedChain): TableVerdict {
  const contents = rulesOf(prepared)
  const verdict = contents.rules.length === 0 ? undefined : runChains(flight, frameOf({ hook, table, depth: 0, gotos: 0 }, prepared))
  if (verdict) return verdict
  flight.way.path.push(prepared.ofPolicy)
  const { chain } = prepared
  prepared.byPolicy ??= { kind: chain.policy === 'DROP' ? 'drop' : 'accept', by: { kind: 'policy', place: { hook, table, chain, depth: 0 } } }
  flight.record?.({ kind: 'policy', place: { hook, table, chain, depth: 0 }, policy: chain.policy })
  return prepared.byPolicy
}

/** Returns undefined where the built-in chain ended or returned without a verdict. The stack is explicit: generated rulesets nest deep. */
function runChains(flight: Flight, start: Frame): TableVerdict | undefined {
  const stack: Frame[] = [start]
  const looksAtAll = flight.recordsMisses || flight.packet.malformed === 'truncated' || isLaterFragmentInNft(flight)
  let frame: Frame | undefined = start
  while (frame) {
    const rule = nextRule(flight, frame, looksAtAll)
    if (!rule) {
      frame = leaveChain(flight, stack)
      continue
    }
    const match = looksAtAll ? matchEach(flight, frame, rule) : rule.first(flight) === true && matchOthers(flight, frame, rule)
    if (match === false) continue
    if (match === 'hotdrop') return hotdropped(flight, frame, rule)
    flight.way.path.push(rule.step)
    const place = placeOf(frame, rule)
    if (rule.jump) {
      if (stack.length > DEEPEST || frame.gotos > DEEPEST) return { kind: 'drop', by: { kind: 'rule', place } }
      frame = enterChain(flight, stack, frame, place, rule.jump)
      continue
    }
    const verdict = applyEffects(flight, place, rule.effects)
    if (verdict.kind === 'return') frame = leaveChain(flight, stack)
    else if (verdict.kind !== 'continue') return asTableVerdict(verdict, place)
  }
  return undefined
}

/** Kernel: a match that cannot do its work drops the packet, whatever the rule says; nf_tables then tells of the rule as of one that matched. Source: struct xt_action_param `hotdrop`; nft_match_eval(). */
function hotdropped(flight: Flight, frame: Frame, rule: PreparedRule): TableVerdict {
  const { hook } = frame
  if (flight.world.backend === 'nft') {
    flight.way.path.push(rule.step)
    flight.record?.({ kind: 'rule', place: placeOf(frame, rule), result: { kind: 'drop' } })
  }
  return { kind: 'drop', by: { kind: 'kernel', reason: flight.packet.malformed === 'truncated' ? 'truncated-header' : 'nothing-counted', hook } }
}

/** Returns the next rule to look at: with an index, the next one that the packet can match. */
function nextRule(flight: Flight, frame: Frame, looksAtAll: boolean): PreparedRule | undefined {
  const { contents } = frame
  const { index } = contents
  const { next, shown } = frame
  const at = index && shown && !looksAtAll ? nextShown(index, flight, shown, next) : next
  if (at === undefined) return undefined
  frame.next = at + 1
  return preparedAt(contents, at)
}

function frameOf({ hook, table, depth, gotos }: Pick<Frame, 'hook' | 'table' | 'depth' | 'gotos'>, prepared: PreparedChain): Frame {
  const contents = rulesOf(prepared)
  return { hook, table, depth, gotos, prepared, contents, next: 0, shown: contents.index && { value: undefined, rules: undefined, next: 0 } }
}

/** Kernel: goto leaves no way back: the end of its chain is the end of the chain that it stands in. */
function enterChain(flight: Flight, stack: Frame[], frame: Frame, place: RulePlace, { kind, to }: NonNullable<PreparedRule['jump']>): Frame {
  flight.record?.({ kind: 'rule', place, result: { kind, chain: to.chain } })
  if (kind === 'goto') stack.pop()
  const { hook, table, depth, gotos } = frame
  const entered = frameOf({ hook, table, depth: depth + 1, gotos: kind === 'goto' ? gotos + 1 : 0 }, to)
  stack.push(entered)
  return entered
}

/** Returns the chain that the packet is back in. */
function leaveChain(flight: Flight, stack: Frame[]): Frame | undefined {
  const left = stack.pop()
  const back = stack[stack.length - 1]
  if (left && back) flight.record?.({ kind: 'return', from: chainPlaceOf(left), to: chainPlaceOf(back) })
  return back
}

function asTableVerdict(verdict: EffectVerdict, place: RulePlace): TableVerdict {
  const kind = verdict.kind === 'continue' || verdict.kind === 'return' ? 'accept' : verdict.kind
  return { kind, by: verdict.by ?? { kind: 'rule', place } }
}

/** Looks at every match in its place: for those who want to know where a rule fails, and for truncated packets. */
function matchEach(flight: Flight, frame: Frame, rule: PreparedRule): boolean | 'hotdrop' {
  for (const match of rule.matches) {
    if (isHotdrop(flight, match)) return 'hotdrop'
    const result = matches(flight, frame, rule, match)
    if (result === 'hotdrop') return 'hotdrop'
    if (result) continue
    if (flight.recordsMisses) recordMiss(flight, placeOf(frame, rule), match)
    return false
  }
  return true
}

function matchOthers(flight: Flight, frame: Frame, rule: PreparedRule): boolean | 'hotdrop' {
  for (const match of rule.others) {
    const result = matches(flight, frame, rule, match)
    if (result !== true) return result
  }
  return true
}

function recordMiss(flight: Flight, place: RulePlace, match: PreparedMatch): void {
  const option = failedOption(match.use, flight.packet.family, flight)
  flight.record?.({ kind: 'miss', place, failed: match.use, ...(option === undefined ? {} : { option }) })
}

function matches(flight: Flight, frame: Frame, rule: PreparedRule, match: PreparedMatch): boolean | 'hotdrop' {
  if (match.memory) return decided(flight, placeOf(frame, rule), match) ?? stepMemory(flight, match) ?? decideByChance(flight, placeOf(frame, rule), match)
  if (match.isNativeInNft && isLaterFragmentInNft(flight)) return matchesLaterFragment(flight, match.predicate)
  for (;;) {
    const value = evaluate(match.predicate, flight)
    if (value !== undefined) return value
    const free = undecided(match.predicate, flight)
    invariant(free, 'an undecided predicate has a free variable')
    assume(flight, placeOf(frame, rule), free)
  }
}

/** Who asks what a packet's way would be if a limit were reached says so: that goes before what the match remembers. */
function decided(flight: Flight, place: RulePlace, match: PreparedMatch): Ternary {
  return flight.decisions && flight.decisions.size > 0 ? flight.decide(chanceKey(place, match)) : undefined
}

/** Chance is drawn for each rule anew: its variable is the rule's own. */
function decideByChance(flight: Flight, place: RulePlace, match: PreparedMatch): boolean {
  const key = chanceKey(place, match)
  const value = flight.decide(key)
  if (value === undefined) assume(flight, place, { key, words: match.predicate.kind === 'opaque' ? match.predicate.words : key })
  return value ?? false
}

function chanceKey(place: RulePlace, { predicate }: PreparedMatch): string {
  invariant(predicate.kind === 'opaque', 'a match with memory is a free variable')
  return `${predicate.key} of rule ${place.number} in ${place.chain.name} of ${place.table}`
}

function assume(flight: Flight, place: RulePlace, free: { readonly key: string; readonly words: string }): void {
  const assumption = { ...free, value: false }
  flight.decisions ??= new Map()
  flight.decisions.set(free.key, false)
  flight.assumed.push(assumption)
  flight.record?.({ kind: 'assumption', place, ...assumption })
}

function stepMemory(flight: Flight, match: PreparedMatch): Ternary | 'hotdrop' {
  const { memory, use } = match
  if (!memory) return false
  const { memories } = flight.host
  const key = memory.sharedBy?.(use.infos) ?? match
  let state = memories.get(key)
  if (state === undefined) {
    state = memory.start(use.infos)
    memories.set(key, state)
  }
  return memory.step(state, use.infos, flight, flight.world.now)
}

/** Kernel: -m tcp and its kin drop a packet whose header is cut short (legacy; nft does not match). Source: xt_tcpudp.c tcp_mt() `hotdrop`. */
function isHotdrop(flight: Flight, match: PreparedMatch): boolean {
  return flight.packet.malformed === 'truncated' && flight.world.backend === 'legacy' && HOTDROPPING.has(match.use.name)
}

const HOTDROPPING = new Set(['tcp', 'udp', 'sctp', 'dccp', 'multiport', 'icmp', 'icmp6', 'esp', 'ah'])

/** Finds the free variable or set on which the predicate hangs. */
function undecided(predicate: Predicate, flight: Flight): { readonly key: string; readonly words: string } | undefined {
  switch (predicate.kind) {
    case 'opaque':
      return evaluate(predicate, flight) === undefined ? { key: predicate.key, words: predicate.words } : undefined
    case 'ipset': {
      const key = ipsetKey(predicate.name, predicate.directions)
      return evaluate(predicate, flight) === undefined ? { key, words: key } : undefined
    }
    case 'not':
      return undecided(predicate.of, flight)
    case 'all':
    case 'any':
      for (const part of predicate.of) {
        const found = undecided(part, flight)
        if (found) return found
      }
      return undefined
    default:
      return undefined
  }
}

function placeOf({ hook, table, prepared, depth }: Frame, rule: PreparedRule): RulePlace {
  const { lastPlace } = rule
  if (lastPlace && lastPlace.hook === hook && lastPlace.depth === depth) return lastPlace
  rule.lastPlace = { hook, table, chain: prepared.chain, rule: rule.rule, number: rule.number, depth }
  return rule.lastPlace
}

function chainPlaceOf({ hook, table, prepared, depth }: Frame): ChainPlace {
  return { hook, table, chain: prepared.chain, depth }
}
