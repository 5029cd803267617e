/** What a change to a ruleset lets in, shuts out, or sends elsewhere. */

import { describePlainly, usualPacket } from '../analyze/plain-view.ts'
import type { DiffGroup, DiffSide, RulesetDiff } from '../analyze/diff.ts'
import { keyOfCause } from '../analyze/causes.ts'
import { gotThrough } from '../analyze/outcomes.ts'
import { equals } from '../meaning/predicate.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { writeProbe } from '../packet/write-packet.ts'
import { startSet } from '../symbolic/reachable-sets.ts'
import { count } from './paint.ts'
import type { Paint } from './paint.ts'
import { conditionsInWords, deciderInWords, deciderJson } from './decider-words.ts'

/** How a group differs, in the order in which a reader wants to know. */
const CHANGES = ['now accepted', 'no longer accepted', 'translated or routed differently', 'ended differently'] as const
type Change = (typeof CHANGES)[number]

const REASONS_SHOWN = 12
const LINES = 4

/** Returns the difference as text, and a last sentence that answers. `all`: every reason. */
export function writeDiff(diff: RulesetDiff, names: { readonly before: string; readonly after: string }, paint: Paint, options: { readonly all: boolean }): string {
  const reasons = joinReasons(diff)
  const [usual, odd] = apart(diff, reasons)
  const shown = options.all ? reasons : (usual.length > 0 ? usual : odd).slice(0, REASONS_SHOWN)
  const parts = CHANGES.flatMap(change => {
    const those = shown.filter(group => changeOf(group) === change)
    return those.length === 0 ? [] : [`${paint('strong', `${change}:`)}\n${those.map(group => writeGroup(diff, group)).join('')}`]
  })
  const isOnlyOdd = shown.length === usual.length && odd.length > 0
  const more = reasons.length > shown.length ? [`... and ${count(reasons.length - shown.length, 'more reason')}${isOnlyOdd ? ', about packets that hosts hardly ever send' : ''} (--all shows them)\n`] : []
  return [...parts, ...more, ...diff.notes.map(note => `not followed: ${note}\n`), `${lastSentence(diff, reasons, names)}\n`].join('')
}

/** Returns the difference for JSON. */
export function diffJson(diff: RulesetDiff): Readonly<Record<string, unknown>> {
  return {
    equal: diff.groups.length === 0 && diff.isWhole,
    whole: diff.isWhole,
    notes: diff.notes,
    groups: joinReasons(diff).map(group => ({
      change: changeOf(group), start: group.start, state: group.state, packets: wordsOf(diff, group),
      before: sideJson(group.before), after: sideJson(group.after),
      example: exampleOf(group) ?? null, conditions: group.after.replay()?.conditions.map(({ variable, value }) => ({ words: variable.words, matches: value })) ?? [],
    })),
  }
}

function sideJson({ kind, by, isMixed }: DiffSide): unknown {
  return { outcome: kind, by: deciderJson(by), ...(isMixed ? { more: true } : {}) }
}

function changeOf({ before, after }: DiffGroup): Change {
  const [was, is] = [gotThrough(before.kind), gotThrough(after.kind)]
  if (!was && is) return 'now accepted'
  if (was && !is) return 'no longer accepted'
  return was ? 'translated or routed differently' : 'ended differently'
}

/** Reasons that hold for usual packets, and those that hold for odd ones alone (martian addresses, fragments, flags that go with no connection). */
function apart({ space: { sets } }: RulesetDiff, reasons: readonly DiffGroup[]): readonly [readonly DiffGroup[], readonly DiffGroup[]] {
  const isUsual = ({ set, state }: DiffGroup): boolean => sets.meets(set, sets.setOf(usualPacket(sets.family, state === 'known' ? 'known' : 'new')))
  return [reasons.filter(isUsual), reasons.filter(group => !isUsual(group))]
}

/** One entry for each pair of causes: the packets of new connections stand for those of known ones, usual packets for odd ones, and of these the first of TCP. */
function joinReasons({ space, groups }: RulesetDiff): readonly DiffGroup[] {
  const { sets } = space
  const usual = sets.setOf(usualPacket(sets.family, 'new'))
  const syn = sets.intersect(usual, sets.setOf(equals('ip.protocol', PROTOCOL.tcp)))
  const rankOf = ({ state, set }: DiffGroup): number => (state !== 'new' ? 0 : sets.meets(set, syn) ? 3 : sets.meets(set, usual) ? 2 : 1)
  const reasons = new Map<string, DiffGroup>()
  for (const group of groups) {
    const key = `${changeOf(group)} ${keyOfCause(group.before.by)} ${keyOfCause(group.after.by)}`
    const known = reasons.get(key)
    if (!known) reasons.set(key, group)
    else if (known.start === group.start && known.state === group.state) reasons.set(key, { ...(rankOf(group) > rankOf(known) ? group : known), set: sets.union(known.set, group.set) })
    else if (rankOf(known) < 2 && group.state === 'new') reasons.set(key, group)
  }
  return [...reasons.values()].sort((one, other) => CHANGES.indexOf(changeOf(one)) - CHANGES.indexOf(changeOf(other)))
}

function wordsOf({ space }: RulesetDiff, { set, start, state }: DiffGroup): readonly string[] {
  const words = describePlainly(space.sets, set, startSet(space, start, state), LINES, state === 'known' ? 'known' : 'new')
  return words.map(line => `${start === 'make' ? 'made by this host: ' : ''}${line}${state === 'known' ? ', of known connections' : ''}`)
}

function exampleOf({ before, after }: DiffGroup): string | undefined {
  const replay = after.replay()
  return replay?.isConfirmed && before.replay()?.isConfirmed ? writeProbe(replay.probe) : undefined
}

function writeGroup(diff: RulesetDiff, group: DiffGroup): string {
  const { before, after } = group
  const example = exampleOf(group)
  const conditions = conditionsInWords(after.replay()?.conditions ?? [])
  return [
    ...wordsOf(diff, group).map(line => `  ${line}\n`),
    `    because ${causeInWords(after)}; before, ${causeInWords(before)}\n`,
    ...(example === undefined ? [] : [`    for example  ${example}${conditions === '' ? '' : `  ${conditions}`}\n`]),
  ].join('')
}

/** "fw.rules:12 drops them", "fw.rules:12 drops some of them, and other rules the rest". */
function causeInWords({ by, kind, isMixed }: DiffSide): string {
  if (!by && !isMixed) return 'no rule says anything about them'
  return `${deciderInWords(by, kind)} ${isMixed ? 'some of them, and others the rest (too many to be told apart)' : 'them'}`
}

function lastSentence({ isWhole }: RulesetDiff, reasons: readonly DiffGroup[], { before, after }: { readonly before: string; readonly after: string }): string {
  if (!isWhole) return `The rulesets are too big to be compared to the end: ${reasons.length === 0 ? 'no difference was found so far, and there may be some' : 'there may be more differences'}.`
  if (reasons.length === 0) return `${before} and ${after} do the same with every packet.`
  const has = (change: Change): boolean => reasons.some(group => changeOf(group) === change)
  if (!has('no longer accepted') && has('now accepted')) return 'Nothing that was accepted is lost.'
  if (has('no longer accepted') && !has('now accepted')) return 'Nothing is accepted that was not before.'
  if (has('now accepted')) return 'Some packets are accepted that were not before, and others no longer are.'
  return 'The same packets are accepted as before, but not everything becomes of them what did.'
}
