/** Who gets through and why, as text and as JSON. */

import { describePlainly } from '../analyze/plain-view.ts'
import type { Reachability, ReachGroup } from '../analyze/reachability.ts'
import type { ReachQuery } from '../analyze/reach-query.ts'
import { writeAddress } from '../net/address.ts'
import { writeProbe } from '../packet/write-packet.ts'
import { constantOf } from '../symbolic/value.ts'
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
    ...answer.notes.map(note => `not followed: ${note}\n`), `${lastSentence(answer)}\n`,
  ].join('')
}

/** Returns the answer for JSON. */
export function reachJson(answer: Reachability, query: ReachQuery): unknown {
  const groups = (list: readonly ReachGroup[]): unknown => list.map(group => ({
    outcome: group.fate.kind, by: deciderJson(group.by), packets: wordsOf(answer, query, group), translation: translationOf(answer, group) ?? null,
    example: group.replay ? writeProbe(group.replay.probe) : null, conditions: group.replay?.conditions.map(({ variable, value }) => ({ words: variable.words, matches: value })) ?? [],
  }))
  return { query: query.text, through: groups(answer.through), elsewhere: groups(answer.elsewhere), ended: groups(answer.ended), notes: answer.notes }
}

function wordsOf({ space, asked }: Reachability, { state }: ReachQuery, { set }: ReachGroup): readonly string[] {
  const { sets, surroundings } = space
  return describePlainly(sets, surroundings.kind === 'free' ? set : sets.exists(set, 'device.out'), asked, LINES, state)
}

function writeGroup(answer: Reachability, query: ReachQuery, group: ReachGroup): string {
  const translation = translationOf(answer, group)
  const conditions = conditionsInWords(group.replay?.conditions ?? [])
  return [
    ...wordsOf(answer, query, group).map(line => `  ${line}\n`),
    `    ${deciderInWords(group.by, group.fate.kind)} them${translation === undefined ? '' : `, ${translation}`}\n`,
    ...(group.replay ? [`    for example  ${writeProbe(group.replay.probe)}${conditions === '' ? '' : `  ${conditions}`}\n`] : []),
  ].join('')
}

/** "destination becomes 172.20.0.2:80". */
function translationOf({ space }: Reachability, { fate }: ReachGroup): string | undefined {
  const end = (address: 'ip.src' | 'ip.dst', port: 'l4.sport' | 'l4.dport'): string | undefined => {
    const [to, toPort] = [fate.rewriting.values.get(address), fate.rewriting.values.get(port)]
    if (!to && !toPort) return undefined
    const constant = to && constantOf(to)
    const words = !to ? 'the same address' : constant === undefined ? 'another address' : writeAddress(space.family === 'ipv4' ? Number(constant) : constant)
    return `${words}${toPort ? ` port ${constantOf(toPort) ?? 'drawn by lot'}` : ''}`
  }
  const [source, destination] = [end('ip.src', 'l4.sport'), end('ip.dst', 'l4.dport')]
  const parts = [...(destination === undefined ? [] : [`their destination becomes ${destination}`]), ...(source === undefined ? [] : [`their source becomes ${source}`])]
  return parts.length === 0 ? undefined : parts.join(' and ')
}

function lastSentence({ through, ended, elsewhere, asked, space }: Reachability): string {
  if (asked === space.sets.none) return 'There is no such packet.'
  if (through.length === 0) return 'None of these packets gets through.'
  return ended.length === 0 && elsewhere.length === 0 ? 'All of these packets get through.' : 'Some of these packets get through, others do not.'
}
