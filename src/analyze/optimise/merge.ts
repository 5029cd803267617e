/** Rules that differ in one condition and can stand together -> one rule. */

import type { Chain, Counters, MatchUse, Rule } from '../../ir/ruleset.ts'
import { writeRule } from '../../save/write-rule.ts'
import { behaveAlike, commute } from './behaviour.ts'
import type { PairBudget, ProofSpace } from './behaviour.ts'
import { commentsOf, withComments, withoutComments } from './comments.ts'
import type { DraftRule, NotTaken } from './draft.ts'
import { joinSpans, JOINTS } from './joints.ts'
import type { Joint, JointPart, Span } from './joints.ts'
import { actOf } from './rule-acts.ts'

/** What merging shares over a ruleset. */
export interface Workshop {
  /** Returns a rule number that no other rule has. */
  readonly makeId: () => number
  /** What is too long is left as it is. */
  readonly budget: PairBudget
  readonly notTaken: NotTaken[]
}

/** Rules that differ in a joint only and can be brought together, at the place of the first. */
export interface JointGroup {
  readonly members: readonly Member[]
}

/** A rule of a group. */
export interface Member {
  readonly index: number
  readonly part: JointPart
}

/** Rounds after which nothing new is looked for. */
const MOST_ROUNDS = 6

/** Returns a chain's rules with all that can be one made one. */
export function mergeRules(space: ProofSpace, chain: Chain, rules: readonly DraftRule[], shop: Workshop): readonly DraftRule[] {
  let now = rules
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = JOINTS.reduce((list, joint) => mergeByJoint(space, chain, list, joint, shop), now)
    if (next.length === now.length) break
    now = next
  }
  return now
}

function mergeByJoint(space: ProofSpace, chain: Chain, rules: readonly DraftRule[], joint: Joint, shop: Workshop): readonly DraftRule[] {
  const replaced = new Map<number, DraftRule | undefined>()
  for (const { members } of jointGroups(space, chain, rules, joint, shop)) {
    for (const bin of binsOf(joint, members)) {
      const made = joinBin(space, rules, joint, bin, shop)
      if (!made) continue
      bin.forEach(({ index }, place) => replaced.set(index, place === 0 ? made : undefined))
    }
  }
  return replaceRules(rules, replaced)
}

/** Returns the rules with some replaced by others, or by nothing. */
export function replaceRules(rules: readonly DraftRule[], replaced: ReadonlyMap<number, DraftRule | undefined>): readonly DraftRule[] {
  if (replaced.size === 0) return rules
  return rules.flatMap((draft, index) => (replaced.has(index) ? (replaced.get(index) ?? []) : [draft]))
}

/** Returns the groups of two and more. A rule joins a group where it may change places with every rule from the group's first to itself. */
export function jointGroups(space: ProofSpace, chain: Chain, rules: readonly DraftRule[], joint: Joint, shop: Workshop): readonly JointGroup[] {
  const open = new Map<string, Member[]>()
  const groups: Member[][] = []
  const known = keysOf(space, rules, joint)
  known.forEach((entry, index) => {
    if (!entry) return
    const group = open.get(entry.key)
    const first = group?.[0]?.index
    const blocker = first === undefined ? undefined : blockerBetween(space, rules, first, index, shop)
    if (group && first !== undefined && blocker === undefined) {
      group.push({ index, part: entry.part })
      return
    }
    if (first !== undefined && blocker !== undefined) noteBlocker(chain, rules, { first, index, blocker }, shop)
    const fresh = [{ index, part: entry.part }]
    open.set(entry.key, fresh)
    groups.push(fresh)
  })
  return groups.filter(members => members.length > 1).map(members => ({ members }))
}

/** What a rule says beside the joint and its comments; only where another rule says the same. */
function keysOf({ family }: ProofSpace, rules: readonly DraftRule[], joint: Joint): readonly ({ readonly key: string; readonly part: JointPart } | undefined)[] {
  return rules.map(({ rule, act }) => {
    // What remembers packets or counts them is not joined: it would see other packets.
    if (act.noticed || !rule.target) return undefined
    const part = joint.partOf(rule)
    return part && { key: writeRule({ matches: withoutComments(part.others), target: rule.target }, family), part }
  })
}

/** Returns the index of a rule with which `index` cannot change places on its way up to `first`; Infinity where that takes too long to find out. */
function blockerBetween(space: ProofSpace, rules: readonly DraftRule[], first: number, index: number, { budget }: Workshop): number | undefined {
  const mover = rules[index]
  for (let at = index - 1; at > first; at--) {
    const other = rules[at]
    if (mover && other && !commute(space, other.act, mover.act, budget)) return budget.pairs > 0 ? at : Infinity
  }
  return undefined
}

function noteBlocker(chain: Chain, rules: readonly DraftRule[], { first, index, blocker }: { readonly first: number; readonly index: number; readonly blocker: number }, { notTaken }: Workshop): void {
  const [one, other, between] = [rules[index]?.rule, rules[first]?.rule, rules[blocker]?.rule]
  if (!one || !other) return
  if (!between) notTaken.push({ chain, rule: undefined, why: { kind: 'tooLong', words: 'rules that stand far apart were not compared for merging' } })
  else notTaken.push({ chain, rule: one, why: { kind: 'between', with: other, blocker: between } })
}

/** Puts members together that one condition can hold: of addresses those that touch, of ports as many as fit. */
export function binsOf(joint: Joint, members: readonly Member[]): readonly (readonly Member[])[] {
  const ordered = joint.joinsNeighbours ? members.toSorted((one, other) => compareSpans(one.part.values[0], other.part.values[0])) : members
  const bins: { members: Member[]; values: readonly Span[] }[] = []
  for (const member of ordered) {
    const bin = bins.at(-1)
    const values = bin && joinSpans([...bin.values, ...member.part.values])
    if (bin && values && joint.fits(values)) {
      bin.members.push(member)
      bin.values = values
    } else bins.push({ members: [member], values: joinSpans(member.part.values) })
  }
  return bins.flatMap(bin => (bin.members.length > 1 ? [bin.members.toSorted((one, other) => one.index - other.index)] : []))
}

function compareSpans(one: Span | undefined, other: Span | undefined): number {
  const [left, right] = [one?.low ?? 0n, other?.low ?? 0n]
  return left < right ? -1 : left > right ? 1 : 0
}

function joinBin(space: ProofSpace, rules: readonly DraftRule[], joint: Joint, members: readonly Member[], shop: Workshop): DraftRule | undefined {
  const values = joinSpans(members.flatMap(({ part }) => part.values))
  const [first] = members
  const drafts = members.flatMap(({ index }) => rules[index] ?? [])
  return first && joinDrafts(space, drafts, withComments(joint.write(first.part, values, space.family), commentsOf(drafts.map(draft => draft.rule))), joint.words, shop)
}

/** Returns one rule with these matches, their comments among them, in place of several neighbours; undefined where it is not proved to do the same. */
export function joinDrafts(space: ProofSpace, drafts: readonly DraftRule[], matches: readonly MatchUse[], words: string, { makeId }: Workshop): DraftRule | undefined {
  const [first] = drafts
  if (!first) return undefined
  const from = drafts.flatMap(draft => draft.from).sort((one, other) => one.id - other.id)
  const rule: Rule = { ...first.rule, id: makeId(), matches, counters: sumOf(drafts) }
  const act = actOf(space, rule, rule.id)
  if (!behaveAlike(space, drafts.map(draft => draft.act), [act])) return undefined
  return { rule, act, from, joined: [...new Set([...drafts.flatMap(draft => draft.joined), words])], packets: drafts.reduce((sum, draft) => sum + draft.packets, 0) }
}

function sumOf(drafts: readonly DraftRule[]): Counters | undefined {
  const all = drafts.flatMap(({ rule }) => rule.counters ?? [])
  return all.length === 0 ? undefined : { packets: all.reduce((sum, one) => sum + one.packets, 0n), bytes: all.reduce((sum, one) => sum + one.bytes, 0n) }
}
