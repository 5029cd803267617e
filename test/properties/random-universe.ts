/** The small universe of random policies: zones, addresses, services, and random ends of their sentences. */

import type { Chance } from '../chance.ts'

/** A family of addresses. */
export type RandomFamily = 'ipv4' | 'ipv6'

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
export const WORLDS: readonly (readonly RandomZone[])[] = [ZONES.slice(0, 3), ZONES, [...ZONES.slice(0, 1), ...OTHER_ZONES.slice(1, 3), ...ZONES.slice(2, 3)], [...OTHER_ZONES.slice(0, 1), ...ZONES.slice(1, 2)], [...ZONES.slice(0, 1), ...OTHER_ZONES.slice(3)]]

/** Addresses and prefixes that sentences name. */
export const PREFIXES = [
  '198.51.100.7', '198.51.100.0/24', '198.51.100.64/28', '192.168.10.5', '192.168.10.200', '192.168.10.0/25', '10.0.1.10', '10.0.1.20', '10.0.0.0/8', '172.17.0.2', '203.0.113.2', '203.0.113.9',
  '2001:db8:5::7', '2001:db8:5::/64', '2001:db8:a::5', '2001:db8:b::10', '2001:db8::2',
] as const

/** What sentences are made of. */
export interface Making {
  readonly chance: Chance
  readonly zones: readonly RandomZone[]
  readonly lists: readonly RandomEnd[]
  readonly managesAll: boolean
}

/** Returns lists of addresses; the third is long enough for an ipset. */
export function makeLists(chance: Chance): readonly RandomEnd[] {
  return [1 + chance.below(2), 2 + chance.below(4), 22].map((size, index) => ({
    text: ['few', 'some', 'many'][index] ?? '', place: 'any',
    prefixes: Array.from({ length: size }, (_, at) => (index === 2 && at > 5 ? `100.64.${at}.0/24` : chance.pick(PREFIXES))),
  }))
}

/** Everybody. */
export const EVERYBODY: RandomEnds = { included: [{ text: 'any', place: 'any' }], excluded: [] }

/** Returns words with blanks between them. */
export function joinWords(words: readonly (string | undefined)[]): string {
  return words.filter(word => word !== undefined && word !== '').join(' ')
}

/** Returns `from ... to ...`; everybody needs no words. */
export function waysText(from: RandomEnds | undefined, to: RandomEnds | undefined): string {
  return joinWords([from && from !== EVERYBODY ? `from ${endsText(from)}` : undefined, to && to !== EVERYBODY ? `to ${endsText(to)}` : undefined])
}

/** Returns ends in words. */
export function endsText({ included, excluded }: RandomEnds): string {
  return `${included.map(({ text }) => text).join(', ')}${excluded.length > 0 ? ` except ${excluded.map(({ text }) => text).join(', ')}` : ''}`
}

/** Returns random ends of a clause. */
export function makeEnds(making: Making, clause: 'from' | 'to'): RandomEnds {
  const { chance } = making
  const included = Array.from({ length: chance.once(3) ? 2 : 1 }, () => makeEnd(making))
  const excluded = Array.from({ length: chance.once(4) ? 1 + chance.below(2) : 0 }, () => makeEnd(making)).filter(end => end.place !== 'any' || end.prefixes)
  return clause === 'from' && chance.once(12) ? { included: [{ text: 'fw', place: 'fw' }], excluded: [] } : { included, excluded }
}

/** Returns a random end. */
export function makeEnd({ chance, zones, lists }: Making): RandomEnd {
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
