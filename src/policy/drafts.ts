/** The rules of one family while they are being made: chains by table and name, ipsets, and what was left out. */

import type { TableName } from '../ir/hooks.ts'
import { lengthOfMask } from '../net/address.ts'
import type { Family, Prefix } from '../net/address.ts'
import type { CompiledChain, CompiledHook, CompiledIpset, CompiledRule } from './compiled.ts'
import { PREFIX } from './compiled.ts'
import type { Head } from './head-words.ts'
import { commentOf } from './matches.ts'
import type { Target } from './matches.ts'
import type { End, Ends, Origin, PolicyFrame, Prefixes, Zone } from './resolved.ts'
import { sidesMeet, sidesOf } from './sides.ts'
import type { Side, Way } from './sides.ts'
import type { Span } from '../diagnostics/source-file.ts'

/** Rules in the making. */
export interface Drafts {
  readonly family: Family
  readonly policy: PolicyFrame
  readonly chains: Map<string, CompiledChain>
  /** Takes the chains that are made now: they are written way by way, whatever the order of the sentences. */
  room: CompiledChain[]
  readonly hooks: CompiledHook[]
  readonly ipsets: Map<string, CompiledIpset>
  /** Names of zones and lists that have no addresses in the family, with where they are written. */
  readonly silent: Map<string, Span>
  /** Zones that docker's chains can meet in this family, and all others. */
  readonly zones: readonly Zone[]
  /** Zones of which a packet may be in two. */
  readonly overlapping: ReadonlySet<Zone>
  /** The alternatives of zones and lists that were asked for, by place and addresses. */
  readonly sides: Map<End['place'], Map<Prefixes | undefined, readonly Side[]>>
  /** What sentences about the same names have in common, whatever their traffic. */
  readonly groups: Map<Ends, Map<Ends, readonly Group[]>>
  /** Pairs that sentences speak of. */
  readonly pairs: Map<Pair['from'], Map<Pair['to'], Pair>>
  /** How many chains the pairs of zones have, by the name of their first. */
  readonly pairCounts: Map<string, number>
  /** The chain that takes the rules for docker's zones now. */
  dockerChain: string
  /** The host's own connections are published too. Kernel: what it sends to an address of its own then still counts as leaving by lo. */
  publishesOwn: boolean
}

/** Ends of one way that a sentence takes together, with their alternatives: outside a chain for their pair, and what such a chain has not asked yet. */
export interface Group {
  readonly way: Way
  readonly pair: Pair | undefined
  readonly from: readonly Side[]
  readonly to: readonly Side[]
  readonly insideFrom: readonly Side[]
  readonly insideTo: readonly Side[]
}

/** A pair of zones, or a zone and the firewall. */
export interface Pair {
  readonly from: Zone | 'fw'
  readonly to: Zone | 'fw'
}

/** Returns nothing yet. */
export function startDrafts(policy: PolicyFrame, family: Family): Drafts {
  const zones = policy.zones.filter(zone => !zone.isDockers || !zone.at || zone.at[family].length > 0)
  return {
    family, policy, zones, overlapping: overlappingZones(zones, family), chains: new Map(), room: [], hooks: [], ipsets: new Map(), silent: new Map(), sides: new Map(), groups: new Map(), pairs: new Map(), pairCounts: new Map(),
    dockerChain: DOCKER_WAY, publishesOwn: false,
  }
}

/** Where the rules for docker's zones begin. */
export const DOCKER_WAY = `${PREFIX}docker`

function overlappingZones(zones: readonly Zone[], family: Family): ReadonlySet<Zone> {
  const sides = zones.map(zone => ({ zone, sides: sidesOf({ place: zone, span: zone.span }, family, () => '') }))
  const found = new Set<Zone>()
  for (const one of sides) for (const other of sides) {
    if (one !== other && one.sides.some(side => other.sides.some(another => sidesMeet(side, another)))) found.add(one.zone)
  }
  return found
}

/** Returns the chain of a name, empty where it is new. */
export function chainOf(drafts: Drafts, table: TableName, name: string): CompiledChain {
  const key = `${table} ${name}`
  const known = drafts.chains.get(key)
  if (known) return known
  const chain: CompiledChain = { table, name, rules: [] }
  drafts.chains.set(key, chain)
  drafts.room.push(chain)
  return chain
}

/** Calls `make` while new chains go to `room`. */
export function makeIn<T>(drafts: Drafts, room: CompiledChain[], make: () => T): T {
  const outer = drafts.room
  drafts.room = room
  const made = make()
  drafts.room = outer
  return made
}

/** Returns a rule of a sentence: its comment says where the sentence stands and why. */
export function makeRule({ comment, span }: Origin, head: Head, target: Target, guards: readonly string[] = NO_GUARDS): CompiledRule {
  return { head, guards, comment, target: target.words, span }
}

const NO_GUARDS: readonly string[] = []

/** Returns an origin for rules that no sentence asks for: hooks, replies, loopback. */
export function ownOrigin({ policy }: Pick<Drafts, 'policy'>, reason?: string): Origin {
  return { place: policy.path, span: policy.span, mark: '0', comment: commentOf(policy.path, reason) }
}

/** Returns the alternatives of ends that have some in the family; what has none is remembered for a note. */
export function alternatives(drafts: Drafts, ends: readonly End[], origin: Origin): readonly Side[] {
  const only = ends[0]
  return only && ends.length === 1 ? alternativesOf(drafts, only, origin) : ends.flatMap(end => alternativesOf(drafts, end, origin))
}

/** Returns the alternatives of one end. */
export function alternativesOf(drafts: Drafts, end: End, origin: Origin): readonly Side[] {
  const sides = knownSides(drafts, end, origin)
  if (sides.length === 0) noteSilent(drafts, end)
  return sides
}

/** Zones and lists are spoken of again and again. */
function knownSides(drafts: Drafts, end: End, origin: Origin): readonly Side[] {
  const { family, sides } = drafts
  const { addresses, list, place } = end
  const make = (): readonly Side[] => sidesOf(end, family, (of, prefixes) => makeIpset(drafts, of, prefixes, origin))
  if (addresses && list === undefined) return make()
  const known = sides.get(place)?.get(addresses)
  if (known) return known
  const made = make()
  const ofPlace = sides.get(place) ?? new Map<Prefixes | undefined, readonly Side[]>()
  sides.set(place, ofPlace.set(addresses, made))
  return made
}

/** Remembers the name of an end that has no addresses in the family. */
export function noteSilent({ silent }: Drafts, end: End): void {
  const zone = typeof end.place === 'string' ? undefined : end.place
  const name = end.list ?? (end.addresses ? undefined : zone?.name)
  if (name !== undefined && !silent.has(name)) silent.set(name, end.span)
}

/** Returns the name of the ipset with these prefixes; one that has them already is used again. */
function makeIpset(drafts: Drafts, end: End, prefixes: readonly Prefix[], origin: Origin): string {
  const { family, ipsets } = drafts
  const zone = typeof end.place === 'string' ? undefined : end.place
  const base = end.list ?? (end.addresses ? `line-${origin.mark}` : (zone?.name ?? 'any'))
  const tail = family === 'ipv4' ? '-4' : '-6'
  for (let count = 1; ; count++) {
    const more = count === 1 ? '' : `-${count}`
    const name = `${PREFIX}${base.slice(0, IPSET_NAME_LIMIT - PREFIX.length - tail.length - more.length)}${more}${tail}`
    const known = ipsets.get(name)
    if (known && !isSame(known.prefixes, prefixes)) continue
    if (!known) ipsets.set(name, { name, family, prefixes, place: origin.place })
    return name
  }
}

const IPSET_NAME_LIMIT = 31

function isSame(one: readonly Prefix[], other: readonly Prefix[]): boolean {
  return one === other || (one.length === other.length && one.every((prefix, index) => prefix.address === other[index]?.address && lengthOfMask(prefix.mask) === lengthOfMask(other[index]?.mask ?? 0)))
}
