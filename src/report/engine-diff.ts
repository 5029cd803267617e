/** What another release of the engine does with packets: a packet for each reason, and why either release does so, in the words of its rules. */

import type { DiffGroup, DiffSide, RulesetDiff } from '../analyze/diff.ts'
import { lineOf } from '../diagnostics/source-file.ts'
import type { BookLine } from '../draft/rule-book.ts'
import type { Packet } from '../packet/packet.ts'
import { writeProbe } from '../packet/write-packet.ts'
import { REASONS } from './route-words.ts'
import { count } from './paint.ts'
import type { Paint } from './paint.ts'

/** How packets fare differently, in the order in which a reader wants to know. */
const CHANGES = ['now let through', 'no longer let through', 'sent elsewhere', 'ended by another rule'] as const
type Change = (typeof CHANGES)[number]

/** One reason for which packets fare differently. */
export interface EngineChange {
  readonly change: Change
  /** A packet that both rulesets were asked about. */
  readonly example: string
  /** Fragments, frames for others, spent ttl: nobody sends such packets but to find out. */
  readonly isUsual: boolean
  readonly before: ChangeSide
  readonly after: ChangeSide
}

/** What one release does with the packet, where, and why it has that rule. */
export interface ChangeSide {
  readonly does: string
  readonly by: string
  readonly reason: string | undefined
}

/** Returns the changes, one for each pair of causes; packets of new connections stand for those that follow them. */
export function engineChanges(diff: RulesetDiff, lines: { readonly before: readonly BookLine[]; readonly after: readonly BookLine[] }): readonly EngineChange[] {
  const changes = new Map<string, EngineChange>()
  for (const group of diff.groups) {
    const change = changeOf(group, lines)
    if (!change) continue
    const key = `${change.change} ${change.before.by} ${change.after.by}`
    const known = changes.get(key)
    if (!known || rankOf(change) > rankOf(known)) changes.set(key, change)
  }
  return [...changes.values()].sort((one, other) => Number(other.isUsual) - Number(one.isUsual) || CHANGES.indexOf(one.change) - CHANGES.indexOf(other.change))
}

/** The first packet of a connection is the best example. */
function rankOf({ isUsual: usual, example }: EngineChange): number {
  return Number(usual) * 2 + Number(!example.includes(' noflags'))
}

/** Returns the changes as text, with a last sentence that answers. Unusual packets are only counted unless `all`. */
export function writeChanges(changes: readonly EngineChange[], { releases, isWhole, all }: { readonly releases: readonly [string, string]; readonly isWhole: boolean; readonly all: boolean }, paint: Paint): string {
  const [before, after] = releases
  const shown = all ? changes : changes.filter(({ isUsual }) => isUsual)
  const blocks = CHANGES.flatMap(change => {
    const those = shown.filter(one => one.change === change)
    return those.length === 0 ? [] : [`${paint('strong', change)}\n${those.map(one => `  ${one.example}\n${sideText(before, one.before, paint)}${sideText(after, one.after, paint)}`).join('')}`]
  })
  const more = changes.length - shown.length
  const rest = more === 0 ? '' : `${shown.length === 0 ? '' : 'and '}${count(more, 'reason')} more with unusual packets only (--all shows them)\n\n`
  const differ = `They differ for ${count(shown.length, 'reason')}${more === 0 ? '' : ', and for unusual packets'}.`
  const end = changes.length === 0 ? `Engine ${after} does with every packet what engine ${before} does.` : differ
  return `${blocks.map(block => `${block}\n`).join('')}${rest}${end}${isWhole ? '' : ' The rulesets are too large to be compared to the end: there may be more.'}\n`
}

function sideText(release: string, { does, by, reason }: ChangeSide, paint: Paint): string {
  return `      ${release.padEnd(8)} ${does} by ${by}${reason === undefined ? '' : paint('faint', `: ${reason}`)}\n`
}

/** A group of which no packet can be shown (its connection would have to be known) follows from one of new connections. */
function changeOf({ before, after }: DiffGroup, lines: { readonly before: readonly BookLine[]; readonly after: readonly BookLine[] }): EngineChange | undefined {
  const replay = after.replay()
  if (replay?.isConfirmed !== true || before.replay()?.isConfirmed !== true) return undefined
  const [was, is] = [getsThrough(before), getsThrough(after)]
  const change: Change = was === is ? (is ? 'sent elsewhere' : 'ended by another rule') : is ? 'now let through' : 'no longer let through'
  return { change, example: writeProbe(replay.probe, { brief: true }), isUsual: isUsual(replay.probe.packet), before: sideOf(before, lines.before), after: sideOf(after, lines.after) }
}

function getsThrough({ kind }: DiffSide): boolean {
  return kind === 'forward' || kind === 'local' || kind === 'sent'
}

const DOES: Readonly<Record<DiffSide['kind'], string>> = { forward: 'sent on', local: 'delivered to the host', sent: 'sent', drop: 'dropped', reject: 'rejected', queue: 'queued', stolen: 'taken' }

function sideOf({ kind, by }: DiffSide, lines: readonly BookLine[]): ChangeSide {
  const does = DOES[kind]
  if (!by) return { does, by: 'no rule', reason: undefined }
  if (by.kind === 'policy') return { does, by: `the policy of ${by.chain.name}`, reason: undefined }
  if (by.kind !== 'rule') return { does, by: `the kernel (${Object.entries(REASONS).find(([name]) => name === by.reason)?.[1] ?? by.reason})`, reason: undefined }
  const line = lineOf(by.rule.span)
  return { does, by: `${by.rule.span.source.path}:${line}`, reason: lines[line - 1]?.step?.reason }
}

function isUsual({ ttl, fragmentOffset, moreFragments, packetType, dst, src, socket }: Packet): boolean {
  const isMadeByNobody = socket !== undefined && socket.uid === undefined
  return !isMadeByNobody && ttl > 1 && fragmentOffset === 0 && !moreFragments && packetType === 'unicast' && src !== dst && !(typeof dst === 'number' && dst >>> 24 === 127)
}
