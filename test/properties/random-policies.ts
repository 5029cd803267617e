/** Random policies over a small universe, as text and as data: sentences of which `policy-meaning.ts` says what they mean. */

import type { Chance } from '../chance.ts'

/** A zone of the universe. */
export interface RandomZone {
  readonly name: string
  readonly devices: readonly string[]
  /** Prefixes; absent where the zone is whatever is behind its devices. */
  readonly at?: readonly string[]
  readonly isDockers: boolean
}

/** One end of a sentence. `place` is a zone's name, `fw` or `any`; `prefixes` are absent where all addresses count. */
export interface RandomEnd {
  readonly text: string
  readonly place: string
  readonly prefixes?: readonly string[]
}

/** Ends with those left out. */
export interface RandomEnds {
  readonly included: readonly RandomEnd[]
  readonly excluded: readonly RandomEnd[]
}

/** Packets of one protocol; `types` are those of ICMP and ICMPv6. */
export interface RandomTraffic {
  readonly protocol: number
  readonly low?: number
  readonly high?: number
  readonly types?: readonly [number, number]
  readonly published?: boolean
}

/** Services of a sentence: what is meant, what is left out of it. */
export interface RandomServices {
  readonly text: string
  readonly included: readonly RandomTraffic[]
  readonly excluded: readonly RandomTraffic[]
}

/** A rule. */
export interface RandomRule {
  readonly kind: 'rule'
  readonly verb: 'allow' | 'deny' | 'reject' | 'log'
  readonly services?: RandomServices
  readonly from: RandomEnds
  readonly to: RandomEnds
  readonly family?: 'ipv4' | 'ipv6'
}

/** A published service. */
export interface RandomPublish {
  readonly kind: 'publish'
  readonly protocol: number
  readonly dialled: number
  readonly on: string
  readonly to: string
  readonly port?: number
  readonly from: RandomEnds
}

/** Connections that are sent to a port of the firewall itself. */
export interface RandomRedirect {
  readonly kind: 'redirect'
  readonly protocol: number
  readonly dialled: number
  readonly from: RandomEnds
  readonly port: number
}

/** Whatever decides about packets. */
export type RandomSentence = RandomRule | RandomPublish | RandomRedirect

/** A policy. */
export interface RandomPolicy {
  readonly text: string
  readonly zones: readonly RandomZone[]
  readonly sentences: readonly RandomSentence[]
  readonly otherwise: 'drop' | 'reject'
}

const ZONES: readonly RandomZone[] = [
  { name: 'wan', devices: ['eth0'], isDockers: false },
  { name: 'lan', devices: ['eth1'], at: ['192.168.10.0/24', '2001:db8:a::/64'], isDockers: false },
  { name: 'dmz', devices: ['eth2'], at: ['10.0.1.0/24', '2001:db8:b::/64'], isDockers: false },
  { name: 'docker', devices: ['docker0'], at: ['172.17.0.0/16'], isDockers: true },
]

/** Two zones on one device, a zone of two devices, and one whose devices are a pattern. */
const OTHER_ZONES: readonly RandomZone[] = [
  { name: 'wan', devices: ['eth+'], isDockers: false },
  { name: 'office', devices: ['eth1'], at: ['192.168.10.0/25', '2001:db8:a::/65'], isDockers: false },
  { name: 'guests', devices: ['eth1'], at: ['192.168.10.128/25'], isDockers: false },
  { name: 'inner', devices: ['eth1', 'eth2'], isDockers: false },
]

/** Sets of zones: what a policy may name. */
const WORLDS: readonly (readonly RandomZone[])[] = [ZONES.slice(0, 3), ZONES, [...ZONES.slice(0, 1), ...OTHER_ZONES.slice(1, 3), ...ZONES.slice(2, 3)], [...OTHER_ZONES.slice(0, 1), ...ZONES.slice(1, 2)], [...ZONES.slice(0, 1), ...OTHER_ZONES.slice(3)]]

const PREFIXES = [
  '198.51.100.7', '198.51.100.0/24', '198.51.100.64/28', '192.168.10.5', '192.168.10.200', '192.168.10.0/25', '10.0.1.10', '10.0.1.20', '10.0.0.0/8', '172.17.0.2', '203.0.113.2', '203.0.113.9',
  '2001:db8:5::7', '2001:db8:5::/64', '2001:db8:a::5', '2001:db8:b::10', '2001:db8::2',
] as const

const SERVICES: readonly RandomServices[] = [
  { text: 'ssh', included: [{ protocol: 6, low: 22, high: 22 }], excluded: [] },
  { text: 'tcp/80-90', included: [{ protocol: 6, low: 80, high: 90 }], excluded: [] },
  { text: 'dns', included: [{ protocol: 6, low: 53, high: 53 }, { protocol: 17, low: 53, high: 53 }], excluded: [] },
  { text: 'ping', included: [{ protocol: 1, types: [8, 128] }], excluded: [] },
  { text: 'udp', included: [{ protocol: 17 }], excluded: [] },
  { text: 'tcp except ssh, tcp/85', included: [{ protocol: 6 }], excluded: [{ protocol: 6, low: 22, high: 22 }, { protocol: 6, low: 85, high: 85 }] },
  { text: 'web, gre', included: [{ protocol: 6, low: 80, high: 80 }, { protocol: 6, low: 443, high: 443 }, { protocol: 47 }], excluded: [] },
  { text: 'published tcp/8080', included: [{ protocol: 6, low: 8080, high: 8080, published: true }], excluded: [] },
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
  const making: Making = { chance, zones, lists }
  const sentences: RandomSentence[] = []
  const lines: string[] = []
  for (let count = 1 + chance.below(9); count > 0; count--) addSentence(making, sentences, lines)
  return { text: `${[...head, ...lines].join('\n')}\n`, zones, sentences, otherwise }
}

interface Making {
  readonly chance: Chance
  readonly zones: readonly RandomZone[]
  readonly lists: readonly RandomEnd[]
}

/** The third is long enough for an ipset. */
function makeLists(chance: Chance): readonly RandomEnd[] {
  return [1 + chance.below(2), 2 + chance.below(4), 22].map((size, index) => ({
    text: ['few', 'some', 'many'][index] ?? '', place: 'any',
    prefixes: Array.from({ length: size }, (_, at) => (index === 2 && at > 5 ? `100.64.${at}.0/24` : chance.pick(PREFIXES))),
  }))
}

function addSentence(making: Making, sentences: RandomSentence[], lines: string[]): void {
  const { chance } = making
  if (chance.once(8)) return addPublish(making, sentences, lines)
  if (chance.once(16)) return addRedirect(making, sentences, lines)
  if (!chance.once(5)) {
    const { rule, words } = makeRule(making, undefined)
    sentences.push(rule)
    lines.push(words)
    return
  }
  const shared = makeEnds(making, 'from')
  lines.push(`from ${endsText(shared)} {`)
  for (let count = 1 + chance.below(3); count > 0; count--) {
    const { rule, words } = makeRule(making, shared)
    sentences.push(rule)
    lines.push(`  ${words}`)
  }
  lines.push('}')
}

const EVERYBODY: RandomEnds = { included: [{ text: 'any', place: 'any' }], excluded: [] }

function makeRule(making: Making, shared: RandomEnds | undefined): { readonly rule: RandomRule; readonly words: string } {
  const { chance } = making
  const verb = chance.pick(['allow', 'allow', 'allow', 'deny', 'deny', 'reject', 'log'] as const)
  const services = chance.once(3) ? undefined : chance.pick(SERVICES)
  const from = shared ?? (chance.once(6) ? EVERYBODY : makeEnds(making, 'from'))
  const to = chance.once(6) ? EVERYBODY : makeEnds(making, 'to')
  const family = chance.once(8) ? chance.pick(['ipv4', 'ipv6'] as const) : undefined
  const words = [
    verb, services?.text, shared || from === EVERYBODY ? undefined : `from ${endsText(from)}`, to === EVERYBODY ? undefined : `to ${endsText(to)}`, family,
    verb === 'allow' && chance.once(5) ? chance.pick(['limit 100/sec', 'limit 10/min per source burst 4', 'max 9 connections per source']) : undefined,
    verb !== 'log' && chance.once(6) ? chance.pick(['log', 'log limit 1/min', 'log "x: "']) : undefined,
  ].filter(word => word !== undefined).join(' ')
  return { rule: { kind: 'rule', verb, from, to, ...(services ? { services } : {}), ...(family ? { family } : {}) }, words }
}

function endsText({ included, excluded }: RandomEnds): string {
  return `${included.map(({ text }) => text).join(', ')}${excluded.length > 0 ? ` except ${excluded.map(({ text }) => text).join(', ')}` : ''}`
}

function makeEnds(making: Making, clause: 'from' | 'to'): RandomEnds {
  const { chance } = making
  const included = Array.from({ length: chance.once(3) ? 2 : 1 }, () => makeEnd(making))
  const excluded = Array.from({ length: chance.once(4) ? 1 + chance.below(2) : 0 }, () => makeEnd(making)).filter(end => end.place !== 'any' || end.prefixes)
  return clause === 'from' && chance.once(12) ? { included: [{ text: 'fw', place: 'fw' }], excluded: [] } : { included, excluded }
}

function makeEnd({ chance, zones, lists }: Making): RandomEnd {
  const zone = chance.pick(zones).name
  const list = chance.pick(lists)
  const prefix = chance.pick(PREFIXES)
  switch (chance.below(9)) {
    case 0:
      return { text: 'fw', place: 'fw' }
    case 1:
      return { text: 'any', place: 'any' }
    case 2:
      return list
    case 3:
      return { text: `${list.text} in ${zone}`, place: zone, ...(list.prefixes ? { prefixes: list.prefixes } : {}) }
    case 5:
      return { text: '203.0.113.2 in fw', place: 'fw', prefixes: ['203.0.113.2'] }
    case 4:
      return { text: prefix, place: 'any', prefixes: [prefix] }
    default:
      return { text: zone, place: zone }
  }
}

function addPublish(making: Making, sentences: RandomSentence[], lines: string[]): void {
  const { chance } = making
  const [on, to] = chance.once(4) ? ['2001:db8::2', '2001:db8:b::10'] : ['203.0.113.2', chance.pick(['10.0.1.10', '192.168.10.5', '198.51.100.7'])]
  const dialled = chance.pick([80, 443, 8080])
  const port = chance.once(3) ? undefined : chance.pick([22, 80, 8443])
  const from = chance.once(3) ? EVERYBODY : makeEnds(making, 'from')
  const target = port === undefined ? to : to.includes(':') ? `[${to}]:${port}` : `${to}:${port}`
  sentences.push({ kind: 'publish', protocol: 6, dialled, on, to, from, ...(port === undefined ? {} : { port }) })
  lines.push(`publish tcp/${dialled} on ${on} to ${target}${from === EVERYBODY ? '' : ` from ${endsText(from)}`}`)
}

function addRedirect(making: Making, sentences: RandomSentence[], lines: string[]): void {
  const { chance } = making
  const [dialled, port] = [chance.pick([80, 443]), chance.pick([3128, 80])]
  const from = chance.once(3) ? EVERYBODY : makeEnds(making, 'from')
  sentences.push({ kind: 'redirect', protocol: 6, dialled, port, from })
  lines.push(`redirect tcp/${dialled}${from === EVERYBODY ? '' : ` from ${endsText(from)}`} to port ${port}`)
}
