/** Who gets through and why, as text and as JSON. */

import { describePlainly } from '../analyze/plain-view.ts'
import type { Reachability, ReachGroup } from '../analyze/reachability.ts'
import type { ReachQuery } from '../analyze/reach-query.ts'
import { writeAddress } from '../net/address.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import { writeProbe } from '../packet/write-packet.ts'
import { SCTP_BEGINS } from '../symbolic/conntrack-sets.ts'
import { constantOf } from '../symbolic/value.ts'
import type { Value } from '../symbolic/value.ts'
import { conditionsInWords, deciderInWords, deciderJson } from './decider-words.ts'
import { count } from './paint.ts'
import type { Paint } from './paint.ts'

const SHOWN = 8
const LINES = 3

/** Returns the answer as text; `all`: every reason. */
export function writeReach(answer: Reachability, query: ReachQuery, paint: Paint, { all }: { readonly all: boolean }): string {
  const part = (title: string, groups: readonly ReachGroup[]): string => {
    if (groups.length === 0) return ''
    const shown = all ? groups : groups.slice(0, SHOWN)
    const more = groups.length > shown.length ? `  ... and ${count(groups.length - shown.length, 'more reason')} (--all shows them)\n` : ''
    return `${paint('strong', `${title}:`)}\n${shown.map(group => writeGroup(answer, query, group)).join('')}${more}`
  }
  return [
    part('get through', answer.through), part('get elsewhere', answer.elsewhere), part('end', answer.ended),
    undecidedText(answer, query, paint), ...answer.notes.map(note => `not followed: ${note}\n`), `${lastSentence(answer, query)}\n`,
  ].join('')
}

/** Returns the answer for JSON. */
export function reachJson(answer: Reachability, query: ReachQuery): Readonly<Record<string, unknown>> {
  const groups = (list: readonly ReachGroup[]): unknown => list.map(group => ({
    outcome: group.fate.kind, ...(group.place ? { namespace: group.place.namespace, device: group.place.port ?? null } : {}), by: deciderJson(group.by), packets: wordsOf(answer, query, group.set), translation: translationOf(answer, group) ?? null,
    example: group.example ? writeProbe(group.example.probe) : null, conditions: group.example?.conditions.map(({ variable, value }) => ({ words: variable.words, matches: value })) ?? [],
  }))
  return { query: query.text, through: groups(answer.through), elsewhere: groups(answer.elsewhere), ended: groups(answer.ended), undecided: undecidedWords(answer, query), notes: answer.notes }
}

/** What nat made of a connection is told beside its packets. */
const TOLD_BY_TRANSLATION = ['ct.status', 'ct.reply.src', 'ct.reply.dst', 'ct.reply.sport', 'ct.reply.dport'] as const

function wordsOf({ sets, kind, asked }: Reachability, { state }: ReachQuery, set: PacketSet): readonly string[] {
  const hidden = state === 'known' ? TOLD_BY_TRANSLATION : []
  const plain = (of: PacketSet): PacketSet => hidden.reduce((now, field) => sets.exists(now, field), sets.forgetFree(of, [SCTP_BEGINS]))
  return describePlainly(sets, plain(kind === 'free' ? set : sets.exists(set, 'device.out')), plain(asked), LINES, state)
}

function undecidedWords(answer: Reachability, query: ReachQuery): readonly string[] {
  return answer.undecided === answer.sets.none ? [] : wordsOf(answer, query, answer.undecided)
}

/** What the answer does not speak of. */
function undecidedText(answer: Reachability, query: ReachQuery, paint: Paint): string {
  const lines = undecidedWords(answer, query)
  if (lines.length === 0) return ''
  return `${paint('strong', 'not decided, since too much would have to be told apart (ask about fewer packets):')}\n${lines.map(line => `  ${line}\n`).join('')}`
}

function writeGroup(answer: Reachability, query: ReachQuery, group: ReachGroup): string {
  const translation = translationOf(answer, group)
  const conditions = conditionsInWords(group.example?.conditions ?? [])
  const place = placeInWords(group)
  return [
    ...wordsOf(answer, query, group.set).map(line => `  ${line}\n`),
    `    ${group.by ? `${deciderInWords(group.by, group.fate.kind)} them` : 'no rule says anything about them'}${translation === undefined ? '' : `, ${translation}`}\n`,
    ...(place === '' ? [] : [`    ${place}\n`]),
    ...(group.example ? [`    for example  ${writeProbe(group.example.probe, { brief: true })}${conditions === '' ? '' : `  ${conditions}`}\n`] : []),
  ].join('')
}

/** Where packets get that get through. */
function placeInWords({ fate, place }: ReachGroup): string {
  if (!place) return ''
  if (fate.kind === 'local') return `they arrive at ${place.namespace}`
  return fate.kind === 'forward' || fate.kind === 'sent' ? `they leave by ${place.port} of ${place.namespace}` : ''
}

/** "destination becomes 172.20.0.2:80". */
function translationOf({ family }: Reachability, { fate }: ReachGroup): string | undefined {
  const end = (address: 'ip.src' | 'ip.dst', port: 'l4.sport' | 'l4.dport'): string | undefined => {
    const [to, toPort] = [fate.rewriting.values.get(address), fate.rewriting.values.get(port)]
    if (!to && !toPort) return undefined
    const constant = to && constantOf(to)
    const original = to?.slices[0]?.field.startsWith('ct.original.') === true ? `the connection's original ${address === 'ip.src' ? 'destination' : 'source'}` : 'another address'
    const words = !to ? 'the same address' : constant === undefined ? original : writeAddress(family === 'ipv4' ? Number(constant) : constant)
    return `${words}${toPort && !isOriginal(toPort) ? ` port ${constantOf(toPort) ?? 'drawn by lot'}` : ''}`
  }
  const [source, destination] = [end('ip.src', 'l4.sport'), end('ip.dst', 'l4.dport')]
  const parts = [...(destination === undefined ? [] : [`their destination becomes ${destination}`]), ...(source === undefined ? [] : [`their source becomes ${source}`])]
  return parts.length === 0 ? undefined : parts.join(' and ')
}

/** A port that the connection had at first goes with its address. */
function isOriginal({ slices }: Value): boolean {
  return slices[0]?.field.startsWith('ct.original.') === true
}

function lastSentence({ through, ended, elsewhere, asked, undecided, sets }: Reachability, { goal }: ReachQuery): string {
  if (asked === sets.none) return 'There is no such packet.'
  const isWhole = undecided === sets.none
  const isAll = isWhole && ended.length === 0 && elsewhere.length === 0
  if (goal.kind === 'place' && through.length > 0) return isAll ? `All of these packets reach ${goal.name}.` : `Some of these packets reach ${goal.name}, others do not.`
  if (goal.kind === 'place') return `No packet reaches ${goal.name}${isWhole ? '' : ' as far as it was decided'}.`
  if (through.length === 0) return isWhole ? 'None of these packets gets through.' : 'None of these packets gets through as far as it was decided.'
  return isAll ? 'All of these packets get through.' : 'Some of these packets get through, others do not.'
}
