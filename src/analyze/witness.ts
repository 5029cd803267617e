/** For every rule packets that get there: a natural member of the set that reaches it, or several that belong together, sent through the simulator before anyone sees them. */

import type { Backend, Hook } from '../ir/hooks.ts'
import type { Rule } from '../ir/ruleset.ts'
import { CT_STATE } from '../meaning/fields.ts'
import { hasAnyBit } from '../meaning/predicate.ts'
import type { Address } from '../net/address.ts'
import { addressWidth, familyOf, maskOfLength } from '../net/address.ts'
import type { Probe } from '../packet/probe.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { Sample } from '../packetset/sample.ts'
import type { TableRun } from '../symbolic/run-chain.ts'
import { VISIT } from '../symbolic/rule-sets.ts'
import { LOOPBACK } from '../topology/loopback.ts'
import { ROUTE_TABLE } from '../topology/topology.ts'
import type { Device, Ipset, Route, Topology } from '../topology/topology.ts'
import { unmetOnHost } from './across-tables.ts'
import { isReached, packetsReaching } from './rule-reach.ts'
import type { ReachOptions, RuleReach, RuleRef } from './rule-reach.ts'
import { unlessTooBig } from './unless-too-big.ts'
import { firstPacketsOf } from './witness-first.ts'
import type { FirstPacket } from './witness-first.ts'
import { confirmedFlow, LARGE, MOST_ASSUMED } from './witness-flow.ts'
import { makeSentFlows, shareFlows } from './witness-share.ts'
import { flowExtender } from './witness-extend.ts'
import type { FlowOptions, Witness, WitnessFlow, WitnessPlace, WitnessRules } from './witness-flow.ts'
import { flowSearch } from './witness-search.ts'

/** What the search of all rules shares. */
interface Hunt extends WitnessRules {
  readonly reach: RuleReach
  /** Looks for several packets that belong together; a text says why there are none. */
  readonly search: (at: RuleRef) => WitnessFlow | string
  /** First packets that should meet a rule on the described host; undefined where its sets are too big. */
  readonly firstPackets: ((rule: Rule) => readonly FirstPacket[] | undefined) | undefined
}

/** Flows of several packets are looked for as often as this, of large rulesets less often: each takes some hundred flows through the simulator. */
const MOST_SEARCHES = 250
const MOST_OF_LARGE = 20

/** How much is looked for. */
export interface WitnessOptions {
  readonly backend: Backend
  /** Where the rules are loaded; without it the rules suggest the hosts that packets are sent to. */
  readonly place?: WitnessPlace
  /** For how many rules flows of several packets are looked for. */
  readonly mostSearches?: number
  /** `large`: a rule that the flow of another one meets has no flow of its own where the ruleset is large. */
  readonly shared?: 'large' | 'always'
}

/** Returns what `ruleReach` is to know of a described host: there are no other devices. */
export function closedDevices({ namespace: { devices, ipsets } }: WitnessPlace): NonNullable<ReachOptions['universe']> {
  return { devices: devices.map(({ name }) => name), isClosed: true, ipsets }
}

/** Returns a witness for every rule of the ruleset's tables, in their order. */
export function findWitnesses(reach: RuleReach, { backend, place, mostSearches, shared = 'large' }: WitnessOptions): readonly Witness[] {
  const { ruleset } = reach
  const isLarge = ruleset.ruleCount > LARGE
  const sent = makeSentFlows()
  const rules: WitnessRules = { ruleset, rulesets: [ruleset], backend, ipsets: reach.ipsets, place, onSent: sent.note }
  const hunt: Hunt = { ...rules, reach, search: flowSearch(rules, mostSearches ?? (isLarge ? MOST_OF_LARGE : MOST_SEARCHES)), firstPackets: place && firstPacketsOf(rules, place) }
  const witnessFor = (run: TableRun, at: RuleRef): Witness => unlessTooBig<Witness>(() => witnessOf(hunt, run, at), { kind: 'unconfirmed', at, why: 'what comes to it is too big to be told within the memory that is allowed' }, () => undefined)
  const isShared = isLarge || shared === 'always'
  const find = isShared ? shareFlows(rules, sent, witnessFor) : witnessFor
  const found = reach.tables.flatMap(run => run.table.chains.flatMap(chain => {
    const places = chain.rules.map((rule, index): RuleRef => ({ rule, number: index + 1, chain }))
    return isShared ? fromTheLast(places, at => find(run, at)) : places.map(at => find(run, at))
  }))
  const goOn = flowExtender(rules, found.flatMap(one => (one.kind === 'packets' && !one.of ? [one.flow] : [])))
  const extended = found.map((one): Witness => {
    const flow = one.kind === 'unconfirmed' ? goOn(one.at.rule) : undefined
    return flow ? { kind: 'packets', at: one.at, flow } : one
  })
  const unmet = new Set(place ? unmetOnHost(ruleset, extended.flatMap(one => (one.kind === 'unconfirmed' ? [one.at] : [])), { backend, namespace: place.namespace }) : [])
  return extended.map(one => (unmet.has(one.at) ? { kind: 'dead', at: one.at, where: 'host' } : one))
}

/** The last rules first: what reaches them meets many others on its way. */
function fromTheLast<T>(places: readonly RuleRef[], find: (at: RuleRef) => T): readonly T[] {
  return [...places].reverse().map(find).reverse()
}

/** One packet where that is enough, several where a connection or more is needed. */
function witnessOf(hunt: Hunt, run: TableRun, at: RuleRef): Witness {
  if (!isReached(run, at)) return { kind: 'dead', at, where: 'table' }
  const single = singleFlow(hunt, run, at, 'fresh')
  if (single) return { kind: 'packets', at, flow: single }
  const flow = hunt.search(at)
  if (typeof flow !== 'string') return { kind: 'packets', at, flow }
  const assumed = singleFlow(hunt, run, at, 'assumed')
  return assumed ? { kind: 'packets', at, flow: assumed } : { kind: 'unconfirmed', at, why: flow }
}

/** What matches remember: nothing yet, as right after loading, or whatever is needed. */
type Memories = 'fresh' | 'assumed'

/** One packet that meets the rule: of those that do on the described host, or else of those that come to it in its table. */
function singleFlow(hunt: Hunt, run: TableRun, at: RuleRef, memories: Memories): WitnessFlow | undefined {
  const first = hunt.firstPackets?.(at.rule)
  return first ? firstOf(first, ({ probe, wanted }) => firstOf(decisionsFor(wanted, memories), decisions => confirmedFlow(hunt, at.rule, [probe], decisions))) : tableFlow(hunt, run, at, memories)
}

/** Of matches that remember packets most decide by themselves as they should: as few as will do are taken to. */
function decisionsFor(wanted: ReadonlyMap<string, boolean>, memories: Memories): readonly Pick<FlowOptions, 'wanted' | 'given'>[] {
  if (memories === 'fresh') return [{ wanted }]
  const [no, yes] = [false, true].map(value => new Map([...wanted].filter(one => one[1] === value)))
  return [no, yes, wanted].flatMap(given => (given && given.size > 0 && given.size <= MOST_ASSUMED ? [{ wanted, given }] : []))
}

/** One packet of those that come to the rule in its table, on a host that lets it pass; what is to come over lo the host sends itself. */
function tableFlow(hunt: Hunt, run: TableRun, at: RuleRef, memories: Memories): WitnessFlow | undefined {
  const { reach } = hunt
  return firstOf([...run.arrivals.keys()], hook => firstOf(plainestParts(reach, packetsReaching(reach, run, hook, at)), part => {
    const sample = reach.sets.sample(part)
    if (!sample) return undefined
    const decisions = decisionsFor(withoutVisits(sample.decisions), memories)
    return firstOf(probesOf(sample, hook), probe => firstOf(decisions, one => confirmedFlow(hunt, at.rule, [probe], { ...one, ownHost: () => hostFor(sample, probe, hook, hunt.ipsets) })))
  }))
}

/** The sets have a variable for each call of a chain, the simulator one for the rule: what differs from call to call is left to what the match remembers. */
function withoutVisits(decisions: ReadonlyMap<string, boolean>): ReadonlyMap<string, boolean> {
  const values = new Map<string, Set<boolean>>()
  for (const [key, value] of decisions) {
    const [ofRule = key] = key.split(VISIT)
    values.set(ofRule, (values.get(ofRule) ?? new Set()).add(value))
  }
  return new Map([...values].flatMap(([key, [value, ...others]]) => (value === undefined || others.length > 0 ? [] : [[key, value] as const])))
}

function firstOf<Item, Found>(items: readonly Item[], find: (item: Item) => Found | undefined): Found | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

/** New connections first, whole packets before fragments: what one packet alone can be. */
function plainestParts({ sets }: RuleReach, set: PacketSet): readonly PacketSet[] {
  const isNew = sets.setOf(hasAnyBit('ct.state', CT_STATE.NEW))
  const syn = sets.union(sets.setOfMasked('tcp.flags', 0x17, 2), sets.complement(sets.setOfField('ip.protocol', 6, 6)))
  const local = sets.setOfMasked('addressType.dst', 4, 4)
  const home = sets.family === 'ipv4' ? 0x7f000001 : 1n
  const onLoopback = sets.intersect(sets.setOfDevice('device.in', { name: LOOPBACK.name, prefix: false }), sets.setOfField('ip.src', home, home), sets.setOfField('ip.dst', home, home))
  const invalid = sets.setOf(hasAnyBit('ct.state', CT_STATE.INVALID))
  const parts = [sets.intersect(set, isNew, syn, local), sets.intersect(set, isNew, syn), sets.intersect(set, isNew), sets.intersect(set, isNew, onLoopback), sets.intersect(set, invalid), sets.subtract(set, isNew)]
  return [...new Set(parts)].filter(part => part !== sets.none)
}

/** Packets of other hosts come in by a device without a mark; what the host sends has none, and maybe a mark. */
function probesOf({ packet, inDevice }: Sample, hook: Hook): readonly Probe[] {
  const unmarked = { ...packet, mark: 0 }
  const isMade = hook === 'OUTPUT' || (hook === 'POSTROUTING' && inDevice === '') || inDevice === LOOPBACK.name
  if (isMade) return [{ packet: unmarked }, ...(packet.mark === 0 ? [] : [{ packet }])]
  return [{ packet: unmarked, inDevice: inDevice === '' ? 'eth0' : inDevice }]
}

/** The plainest host on which a packet passes a hook: it has the destination, or a route to it. */
function hostFor({ packet, outDevice }: Sample, { inDevice }: Probe, hook: Hook, ipsets: readonly Ipset[]): Topology {
  const out = outDevice === '' ? (inDevice ?? 'eth0') : outDevice
  const own: readonly (readonly [string, Address])[] = inDevice === undefined ? [[out, packet.src]] : hook === 'FORWARD' || hook === 'POSTROUTING' ? [] : [[inDevice, packet.dst]]
  const names = [...new Set([inDevice, out].filter(name => name !== undefined && name !== LOOPBACK.name))].flatMap(name => name ?? [])
  const bits = addressWidth(packet.family)
  const devices = names.map((name): Device => ({ name, kind: 'physical', mtu: 1500, up: true, hairpin: false, addresses: own.filter(([device]) => device === name).map(([, address]) => ({ address, length: bits })) }))
  const route = (address: Address, device: string, length: number): Route => ({ kind: 'unicast', prefix: { address, mask: maskOfLength(familyOf(address), length) }, table: ROUTE_TABLE.main, metric: 0, device })
  const back = names.find(name => name === inDevice) ?? names[0]
  const routes = [...((hook === 'FORWARD' || hook === 'POSTROUTING' || inDevice === undefined) && out !== LOOPBACK.name ? [route(packet.dst, out, bits)] : []), ...(back === undefined ? [] : [route(packet.family === 'ipv4' ? 0 : 0n, back, 0)])]
  return { namespaces: [{ name: 'host', devices: [LOOPBACK, ...devices], routes, rules: [], neighbours: [], sysctls: {}, ipsets }], labels: [], assumptions: [] }
}
