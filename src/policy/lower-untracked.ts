/** untracked -> rules of raw for both directions, and the accepts that stand in for the connection. */

import type { Family } from '../net/address.ts'
import type { Complain } from './complain.ts'
import { PREFIX } from './compiled.ts'
import { alternatives, chainOf } from './drafts.ts'
import type { Drafts } from './drafts.ts'
import { makeHeads, trafficMatches, wholeProtocol } from './heads.ts'
import type { Head } from './head-words.ts'
import type { TrafficMatch } from './heads.ts'
import { lowerRule } from './lower-rules.ts'
import type { Entry } from './lower-rules.ts'
import { localAddress, NOTRACK, portMatch, UNTRACKED, verdict } from './matches.ts'
import { portLists } from './port-sets.ts'
import type { End, RuleSentence, Traffic } from './resolved.ts'
import { zoneOf } from './sides.ts'
import type { Side, Way } from './sides.ts'
import { writeSentence } from './tails.ts'

/** The chains of raw, by where packets come from. */
export type RawWay = 'notrack' | 'notrack-out'

/** Returns the chain that rules of raw stand in. */
export function rawChain({ policy }: Drafts, way: RawWay): string {
  return policy.managesAll ? (way === 'notrack' ? 'PREROUTING' : 'OUTPUT') : `${PREFIX}${way}`
}

/** Writes the rules of raw; returns the accepts of both directions. */
export function lowerUntracked(drafts: Drafts, sentence: RuleSentence, complain: Complain): readonly Entry[] {
  const { from, to } = sentence
  const ends = [...from.included, ...to.included]
  const owned = ends.find(end => zoneOf(end)?.isDockers)
  const excluded = from.excluded[0] ?? to.excluded[0]
  const nameless = to.included.find(end => zoneOf(end) && !zoneOf(end)?.at && !end.addresses)
  if (owned) complain('docker-zone', owned.span, 'docker translates addresses, which needs connections', 'leave docker\'s zone out of `untracked`')
  else if (excluded) complain('misplaced-clause', excluded.span, '`untracked` knows no `except`', 'name what is meant')
  else if (nameless) complain('missing-addresses', nameless.span, `zone \`${zoneOf(nameless)?.name ?? ''}\` says no addresses, and before routing only they tell where a packet goes`, 'give the zone its addresses: `zone ... at 10.0.0.0/8`')
  if (owned || excluded || nameless || !sentence.families.includes(drafts.family)) return []
  const there = trafficMatches(sentence.traffic, drafts.family)
  const back = sentence.traffic ? sentence.traffic.filter(one => one.families.includes(drafts.family)).flatMap(one => answersOf(one, drafts.family)) : there
  for (const one of from.included) for (const other of to.included) {
    writeRaw(drafts, sentence, one, other, there)
    writeRaw(drafts, sentence, other, one, back)
  }
  const allow: RuleSentence = { ...sentence, verb: 'allow' }
  const answers = from.included.flatMap(one => to.included.flatMap(other => answerEntries(drafts, sentence, other, one, back)))
  return [...lowerRule(drafts, allow), ...answers]
}

function answersOf({ protocol, ports, messages }: Traffic, family: Family): readonly TrafficMatch[] {
  if (messages || !ports) return [wholeProtocol(protocol, family)]
  return portLists(ports).map(list => ({ protocol, matches: [portMatch(protocol, list, 'sport')] }))
}

function writeRaw(drafts: Drafts, { origin }: RuleSentence, from: End, to: End, traffic: readonly TrafficMatch[]): void {
  const way: RawWay = from.place === 'fw' ? 'notrack-out' : 'notrack'
  const sides = from.place === 'fw' && !from.addresses ? [{}] : alternatives(drafts, [from], origin)
  const isLocal = to.place === 'fw' && !to.addresses
  const targets = isLocal ? [{}] : alternatives(drafts, [to], origin).map(({ device: _device, ...side }): Side => side)
  const heads = makeHeads(sides, targets, traffic).map((head): Head => (isLocal ? { ...head, matches: [...head.matches, localAddress('dst')] } : head))
  const rules = writeSentence(drafts, { table: 'raw', mark: `${way}-${origin.mark}`, origin, word: 'untracked' }, heads, [], { guards: [], counts: false, final: NOTRACK })
  if (rules.length > 0) chainOf(drafts, 'raw', rawChain(drafts, way)).rules.push(...rules)
}

/** Without a connection the answers need a sentence of their own. */
function answerEntries(drafts: Drafts, { origin }: RuleSentence, from: End, to: End, traffic: readonly TrafficMatch[]): readonly Entry[] {
  const ways: readonly Way[] = from.place === 'fw' ? ['out'] : to.place === 'fw' ? ['in'] : ['forward']
  const [sides, targets] = [from, to].map(end => (end.place === 'fw' && !end.addresses ? [{}] : alternatives(drafts, [end], origin)))
  const heads = makeHeads(sides ?? [], targets ?? [], traffic.map(one => ({ ...one, matches: [...one.matches, UNTRACKED] })))
  return ways.map(way => ({
    way, isPlainAllow: true, isTotal: false,
    rules: () => writeSentence(drafts, { table: 'filter', mark: `${way}-answers-${origin.mark}`, origin, word: 'untracked' }, heads, [], { guards: [], counts: false, final: verdict('ACCEPT') }),
  }))
}
