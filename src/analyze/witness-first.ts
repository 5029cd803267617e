/** First packets that meet rules on a described host: all that may begin their way are run through all its tables at once, and natural ones are drawn for each rule. */

import type { Rule } from '../ir/ruleset.ts'
import { all, any, equals, not, onDevice } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { familyOf } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { TCP_FLAG } from '../packet/packet.ts'
import type { Probe } from '../packet/probe.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { Sample } from '../packetset/sample.ts'
import { makeSpace, reachableSets, startSet } from '../symbolic/reachable-sets.ts'
import type { Space, Start } from '../symbolic/reachable-sets.ts'
import type { FreeVariable } from '../symbolic/prepare-rules.ts'
import type { Device } from '../topology/topology.ts'
import { usualAmong } from './plain-view.ts'
import { UNMARKED } from './reachability.ts'
import { asSent, conditionsOf } from './replay.ts'
import { surroundingsOf } from './surroundings.ts'
import type { Origin, Surroundings } from './surroundings.ts'
import { unlessTooBig } from './unless-too-big.ts'
import type { WitnessPlace, WitnessRules } from './witness-flow.ts'

/** A packet that the sets say meets a rule. */
export interface FirstPacket {
  readonly probe: Probe
  /** What must be so of what headers do not decide, by the simulator's keys. */
  readonly wanted: ReadonlyMap<string, boolean>
}

/** Beyond so many nodes the tables are too big to be run together. */
const MOST_NODES = 1_500_000

/** So many kinds of packets that meet a rule are kept for each way to begin, and so many senders tried for each. */
const MOST_KINDS = 4
const MOST_SENDERS = 6

/** Packets that meet a rule, and the run that they were met in. */
interface Meeting {
  readonly start: Start
  readonly set: PacketSet
  readonly variables: ReadonlyMap<string, FreeVariable>
}

/** Returns what finds packets for a rule, likelier ones first; undefined where the sets, which are made when it is first asked, are too big. */
export function firstPacketsOf(rules: WitnessRules, place: WitnessPlace): (rule: Rule) => readonly FirstPacket[] | undefined {
  let known: Met | 'tooBig' | undefined
  const surroundings = surroundingsOf(place.topology, place.namespace, rules.ruleset.family)
  return rule => unlessTooBig<readonly FirstPacket[] | undefined>(() => {
    if (known === 'tooBig') return undefined
    known ??= meetingsOn(rules, place, surroundings)
    const { space, meetings } = known
    const samples = (meetings.get(rule.id) ?? []).flatMap(meeting => samplesOf(space, meeting, surroundings))
    return samples.sort((one, other) => one.rank - other.rank).flatMap(sample => packetsOf(sample, surroundings))
  }, undefined, () => (known = 'tooBig'))
}

/** By rule, the packets that meet it. */
interface Met {
  readonly space: Space
  readonly meetings: ReadonlyMap<number, readonly Meeting[]>
}

function meetingsOn({ ruleset, backend }: WitnessRules, { namespace }: WitnessPlace, surroundings: Surroundings): Met {
  const space = makeSpace({ family: ruleset.family, rulesets: [ruleset], backend, namespace, nodeLimit: MOST_NODES })
  const meetings = new Map<number, Meeting[]>()
  for (const state of ['new', 'invalid'] as const) {
    for (const start of ['arrive', 'make'] as const) {
      const met = new Map<number, PacketSet[]>()
      const within = space.sets.intersect(startSet(space, start, state), space.sets.setOf(all([UNMARKED, begins(surroundings, start)])))
      const { variables } = reachableSets(space, ruleset, { start, state, within, onMatch: ({ id }, { set }) => {
        const sets = met.get(id) ?? []
        met.set(id, sets)
        if (sets.length < MOST_KINDS) sets.push(set)
      } })
      for (const [id, sets] of met) meetings.set(id, [...(meetings.get(id) ?? []), ...sets.map((set): Meeting => ({ start, set, variables }))])
    }
  }
  return { space, meetings }
}

/** Who may send: whoever is behind a device, a namespace that is joined to this one, this host. Each with addresses of its own, where these are known. */
function begins({ origins, own }: Surroundings, start: Start): Predicate {
  const isOwn = any(own.map(address => equals('ip.src', address)))
  if (start === 'make') return any(origins.flatMap(origin => (origin.kind === 'own' ? origin.addresses.map(address => equals('ip.src', address)) : [])))
  return all([not(isOwn), any(origins.filter(({ kind }) => kind !== 'own').map(origin => all([onDevice('device.in', { name: origin.seenAs, prefix: false }), origin.kind === 'neighbour' ? any(origin.addresses.map(address => equals('ip.src', address))) : equals('socket.exists', 0)])))])
}

/** A member of the packets that meet a rule; the lower its rank, the more usual it is. */
interface Drawn extends Meeting {
  readonly sample: Sample
  readonly rank: number
}

/** What is usual of headers, then of ends; and anything else. */
function samplesOf(space: Space, meeting: Meeting, surroundings: Surroundings): readonly Drawn[] {
  const { sets } = space
  const { source, destinations } = likelyEnds(surroundings)
  const usual = destinations.reduce((now, one) => {
    const narrower = sets.intersect(now, sets.setOf(one))
    return narrower === sets.none ? now : narrower
  }, usualAmong(sets, meeting.set, 'new', source))
  return [...new Set([usual, meeting.set])].flatMap((part, index) => {
    const sample = sets.sample(part)
    return sample ? [{ ...meeting, sample, rank: (sample.packet.src === sample.packet.dst ? 4 : 0) + index * 2 + (opensConnection(sample) ? 0 : 1) }] : []
  })
}

/** Somebody who is known behind the device; this host under the address of the device, or somebody else, who is known too where there is such a one. */
function likelyEnds({ origins, family, namespace: { devices } }: Surroundings): { readonly source: Predicate; readonly destinations: readonly Predicate[] } {
  const isOneOf = (field: 'ip.src' | 'ip.dst', addresses: readonly Address[]): Predicate => any(addresses.filter(address => familyOf(address) === family).map(address => equals(field, address)))
  const arrivesBy = (name: string): Predicate => onDevice('device.in', { name, prefix: false })
  const addressesOf = ({ addresses }: Device): readonly Address[] => addresses.map(({ address }) => address)
  const atDevice = any(devices.map(device => all([arrivesBy(device.name), isOneOf('ip.dst', addressesOf(device))])))
  return {
    source: any(origins.flatMap(({ seenAs, addresses }) => (seenAs === '' ? [] : [all([arrivesBy(seenAs), isOneOf('ip.src', addresses)])]))),
    destinations: [any([not(isOneOf('ip.dst', devices.flatMap(addressesOf))), atDevice]), any([isOneOf('ip.dst', origins.flatMap(({ addresses }) => addresses)), atDevice])],
  }
}

function opensConnection({ packet: { protocol, tcp, icmp } }: Sample): boolean {
  return protocol === PROTOCOL.udp || tcp?.flags === TCP_FLAG.SYN || icmp?.type === ECHO_REQUEST[protocol === PROTOCOL.icmp ? 'ipv4' : 'ipv6']
}

const ECHO_REQUEST = { ipv4: 8, ipv6: 128 } as const

function packetsOf({ sample, start, variables }: Drawn, { origins }: Surroundings): readonly FirstPacket[] {
  const wanted = new Map(conditionsOf(sample, variables).flatMap(({ variable, value }) => variable.decisions.map(key => [key, value] as const)))
  return sendersOf(sample, start, origins).map(probe => ({ probe, wanted }))
}

/** The packet of a sample, from everywhere that it may come from. */
function sendersOf(sample: Sample, start: Start, origins: readonly Origin[]): readonly Probe[] {
  const packet = asSent(sample)
  const { socket: _, ...arriving } = packet
  const { macSource: __, ...made } = packet
  const senders = start === 'make' ? origins.filter(({ kind }) => kind === 'own') : origins.filter(({ kind, seenAs, addresses }) => kind !== 'own' && seenAs === sample.inDevice && (kind === 'wire' || addresses.includes(packet.src)))
  return senders.slice(0, MOST_SENDERS).map(({ device, namespace }) => (device === undefined ? { packet: { ...made, socket: packet.socket ?? { uid: 0, gid: 0 } }, namespace } : { packet: arriving, namespace, inDevice: device }))
}
