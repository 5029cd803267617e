/** Random policies over a small universe, as text and as data: sentences of which `policy-meaning.ts` says what they mean. */

import type { Chance } from '../chance.ts'
import { makePublish, makeRedirect, makeSourceNat } from './random-nat.ts'
import type { RandomPublish, RandomRedirect, RandomSourceNat } from './random-nat.ts'
import { EVERYBODY, endsText, joinWords, makeEnd, makeEnds, makeLists, PREFIXES, waysText, WORLDS } from './random-universe.ts'
import type { Making, RandomEnd, RandomEnds, RandomFamily, RandomServices, RandomZone } from './random-universe.ts'

/** How many connections a sentence lets pass before its limit is reached; `per` tells which are counted together. */
export interface RandomLimit {
  readonly text: string
  readonly most: number
  readonly per: 'all' | 'source' | 'flow' | 'connections' | 'connections of a source'
}

/** A rule. */
export interface RandomRule {
  readonly kind: 'rule'
  readonly verb: 'allow' | 'deny' | 'reject' | 'log' | 'untracked'
  readonly services?: RandomServices
  readonly from: RandomEnds
  readonly to: RandomEnds
  readonly family?: RandomFamily
  readonly limit?: RandomLimit
  /** Its day is over. */
  readonly isOver?: boolean
}

/** A rule in iptables' words that decides about all packets of a hook from one source, before or after all sentences. */
export interface RandomRaw {
  readonly kind: 'raw'
  readonly hook: 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT'
  readonly place: 'first' | 'last'
  readonly source: string
  readonly verdict: 'accept' | 'drop'
}

/** Whatever decides about packets. */
export type RandomSentence = RandomRule | RandomPublish | RandomRedirect | RandomSourceNat | RandomRaw

/** A policy. */
export interface RandomPolicy {
  readonly text: string
  readonly zones: readonly RandomZone[]
  readonly lists: readonly RandomEnd[]
  readonly sentences: readonly RandomSentence[]
  readonly otherwise: 'drop' | 'reject'
}

/** Services that sentences name. */
export const SERVICES: readonly RandomServices[] = [
  { text: 'ssh', included: [{ protocol: 6, low: 22, high: 22 }], excluded: [] },
  { text: 'tcp/80-90', included: [{ protocol: 6, low: 80, high: 90 }], excluded: [] },
  { text: 'dns', included: [{ protocol: 6, low: 53, high: 53 }, { protocol: 17, low: 53, high: 53 }], excluded: [] },
  { text: 'ping', included: [{ protocol: 1, types: [8, 128] }], excluded: [] },
  { text: 'udp', included: [{ protocol: 17 }], excluded: [] },
  { text: 'tcp except ssh, tcp/85', included: [{ protocol: 6 }], excluded: [{ protocol: 6, low: 22, high: 22 }, { protocol: 6, low: 85, high: 85 }] },
  { text: 'web, gre', included: [{ protocol: 6, low: 80, high: 80 }, { protocol: 6, low: 443, high: 443 }, { protocol: 47 }], excluded: [] },
]

const PUBLISHED: readonly RandomServices[] = [
  { text: 'published tcp/8080', included: [{ protocol: 6, low: 8080, high: 8080, published: true }], excluded: [] },
  { text: 'published tcp', included: [{ protocol: 6, published: true }], excluded: [] },
  { text: 'published udp/50-60', included: [{ protocol: 17, low: 50, high: 60, published: true }], excluded: [] },
]

const LIMITS: readonly RandomLimit[] = [
  { text: 'limit 1/hour', most: 5, per: 'all' },
  { text: 'limit 1/day burst 1', most: 1, per: 'all' },
  { text: 'limit 2/day per source burst 2', most: 2, per: 'source' },
  { text: 'limit 2/day per flow burst 1', most: 1, per: 'flow' },
  { text: 'max 2 connections', most: 2, per: 'connections' },
  { text: 'max 1 connections per source', most: 1, per: 'connections of a source' },
]

/** Returns a random policy. */
export function makeRandomPolicy(chance: Chance): RandomPolicy {
  const zones = chance.pick(WORLDS)
  const lists = makeLists(chance)
  const managesAll = chance.once(5) && !zones.some(zone => zone.isDockers)
  const otherwise = chance.once(4) ? 'reject' : 'drop'
  const head = [
    ...(managesAll ? ['option manage = all'] : []),
    ...zones.map(({ name, devices, at, isDockers }) => `zone ${name} = ${devices.join(', ')}${at ? ` at ${at.join(', ')}` : ''}${isDockers ? ' owned by docker' : ''}`),
    ...lists.map(({ text, prefixes }) => `let ${text} = ${(prefixes ?? []).join(', ')}`),
    'let web = tcp/80, tcp/443',
    `default ${otherwise}${chance.once(3) ? ' log limit 10/min' : ''}`,
  ]
  const making: Making = { chance, zones, lists, managesAll }
  const made = Array.from({ length: 1 + chance.below(9) }, () => makeSentences(making)).flat()
  return { text: `${[...head, ...made.flatMap(({ lines }) => lines)].join('\n')}\n`, zones, lists, sentences: made.flatMap(({ sentences }) => sentences), otherwise }
}

/** Sentences with their lines. */
export interface Made {
  readonly sentences: readonly RandomSentence[]
  readonly lines: readonly string[]
}

function makeSentences(making: Making): Made {
  const { chance } = making
  if (chance.once(8)) return makePublish(making)
  if (chance.once(16)) return makeRedirect(making)
  if (chance.once(10)) return makeSourceNat(making)
  if (chance.once(24)) return makeRaw(making)
  if (chance.once(10)) return makeUntracked(making)
  if (!chance.once(5)) return makeRule(making, undefined)
  const shared = makeEnds(making, 'from')
  const rules = Array.from({ length: 1 + chance.below(3) }, () => makeRule(making, shared))
  return { sentences: rules.flatMap(({ sentences }) => sentences), lines: [`from ${endsText(shared)} {`, ...rules.flatMap(({ lines }) => lines.map(line => `  ${line}`)), '}'] }
}

function makeRule(making: Making, shared: RandomEnds | undefined): Made {
  const { chance } = making
  const verb = chance.pick(['allow', 'allow', 'allow', 'deny', 'deny', 'reject', 'log'] as const)
  const services = chance.once(3) ? undefined : chance.pick(chance.once(6) ? PUBLISHED : SERVICES)
  const from = shared ?? (chance.once(6) ? EVERYBODY : makeEnds(making, 'from'))
  const to = chance.once(6) ? EVERYBODY : makeEnds(making, 'to')
  const family = chance.once(8) ? chance.pick(['ipv4', 'ipv6'] as const) : undefined
  const limit = verb === 'allow' && chance.once(5) ? chance.pick(LIMITS) : undefined
  const day = makeDay(chance)
  const words = [
    verb, services?.text, shared ? undefined : waysText(from, undefined), waysText(undefined, to), family, limit?.text, day?.text,
    verb !== 'log' && chance.once(6) ? chance.pick(['log', 'log limit 1/min', 'log "x: "']) : undefined,
  ]
  return { sentences: [{ kind: 'rule', verb, from, to, ...(services ? { services } : {}), ...(family ? { family } : {}), ...(limit ? { limit } : {}), ...(day?.isOver ? { isOver: true } : {}) }], lines: [joinWords(words)] }
}

/** A day that is over, or one that will come. */
function makeDay(chance: Chance): { readonly text: string; readonly isOver: boolean } | undefined {
  if (!chance.once(10)) return undefined
  const isOver = chance.once(2)
  return { text: `until ${isOver ? OVER : COMING}`, isOver }
}

/** A day that is over. */
export const OVER = '2001-02-03'

/** A day that is not over yet. */
export const COMING = '2037-01-01'

/** Zones without addresses, docker's, and `except` are refused. */
function makeUntracked(making: Making): Made {
  const { chance, zones } = making
  const fitting: Making = { ...making, zones: zones.filter(({ at, isDockers }) => at && !isDockers) }
  const make = (): RandomEnds => ({ included: Array.from({ length: chance.once(4) ? 2 : 1 }, () => (fitting.zones.length === 0 ? { text: 'fw', place: 'fw' } : makeEnd(fitting))), excluded: [] })
  const [from, to] = [make(), make()]
  const services = chance.once(4) ? undefined : chance.pick(SERVICES)
  const family = chance.once(8) ? chance.pick(['ipv4', 'ipv6'] as const) : undefined
  const day = makeDay(chance)
  return {
    sentences: [{ kind: 'rule', verb: 'untracked', from, to, ...(services ? { services } : {}), ...(family ? { family } : {}), ...(day?.isOver ? { isOver: true } : {}) }],
    lines: [joinWords(['untracked', services?.text, waysText(from, to), family, day?.text])],
  }
}

const WAYS = { INPUT: 'gate-in', FORWARD: 'gate-fwd', OUTPUT: 'gate-out' } as const

/** Whoever asks for the end of a chain of the policy's own means what stands before the default. */
function makeRaw({ chance, managesAll }: Making): Made {
  const hook = chance.pick(['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT'] as const)
  const source = chance.pick(PREFIXES.filter(prefix => !prefix.startsWith('172.')))
  const verdict = hook === 'PREROUTING' ? 'drop' : chance.pick(['accept', 'drop'] as const)
  const place = hook === 'PREROUTING' ? 'first' : chance.pick(['first', 'last'] as const)
  const chain = hook === 'PREROUTING' || managesAll || place === 'first' ? hook : WAYS[hook]
  return { sentences: [{ kind: 'raw', hook, place, source, verdict }], lines: [`raw ${hook === 'PREROUTING' ? 'mangle' : 'filter'} ${chain} ${place} \`-s ${source} -j ${verdict.toUpperCase()}\``] }
}
