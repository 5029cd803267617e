/** Assertions of a policy, proved over all packets of both families: each holds, fails with a packet, cannot be told, or speaks of no packet. */

import type { Backend } from '../ir/hooks.ts'
import type { Rule, Ruleset } from '../ir/ruleset.ts'
import { all, any, equals, masked, never, not, onDevice } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { Probe } from '../packet/probe.ts'
import { LISTENER_QUERIES, LISTENER_REPORTS } from '../policy/read-services.ts'
import type { Assertion, End, Flow, Outcome, Traffic, Zone } from '../policy/resolved.ts'
import type { Decider, Fate, FlowState } from '../symbolic/fate.ts'
import { makeSpace, reachableSets, startSet } from '../symbolic/reachable-sets.ts'
import type { Reached, Space, Start } from '../symbolic/reachable-sets.ts'
import { readThrough } from '../symbolic/read-through.ts'
import type { InputWay, OutputWay } from '../symbolic/surroundings.ts'
import type { Namespace } from '../topology/topology.ts'
import { asAuthenticated, behindAuthentication } from './authenticated.ts'
import { arrivesFrom, goesTo, madeBy, ofTraffic, onZone, ownAddresses, sentTo, usual } from './policy-flows.ts'

/** What a proof found. `unsure`: what is named in `words` decides, and nothing is known of it. */
export type Finding =
  | { readonly kind: 'holds'; readonly withinLimits: readonly Rule[] }
  | { readonly kind: 'vacuous'; readonly why: string }
  | { readonly kind: 'unsure'; readonly family: Family; readonly probe: Probe; readonly words: readonly string[] }
  | { readonly kind: 'fails'; readonly family: Family; readonly probe: Probe; readonly by: Decider | undefined; readonly words: string }

/** An assertion with what was found. */
export interface TestedAssertion {
  readonly assertion: Assertion
  readonly finding: Finding
}

/** Where a policy is tested: its ruleset of each family on a host. */
export interface TestBench {
  readonly rulesets: Readonly<Record<Family, Ruleset>>
  readonly namespace: Namespace
  readonly backend: Backend
}

/** Proves all assertions. */
export function testPolicy(assertions: readonly Assertion[], { rulesets, namespace, backend }: TestBench): readonly TestedAssertion[] {
  const proofs = new Map<Ruleset, Proof>()
  const devices = assertions.flatMap(zonesOf).flatMap(zone => zone.devices)
  const named = devices.filter(({ prefix }) => !prefix).map(({ name }) => name)
  const beginnings = devices.filter(({ prefix }) => prefix).map(({ name }) => name)
  const proofFor = (ruleset: Ruleset): Proof => {
    const { family } = ruleset
    const proof = proofs.get(ruleset) ?? { space: makeSpace({ family, rulesets: [ruleset], namespace, backend, named, beginnings }), ruleset, namespace, family }
    proofs.set(ruleset, proof)
    return proof
  }
  const authenticated = asAuthenticated(rulesets.ipv6)
  const prove = (assertion: Assertion, family: Family): Finding => {
    const finding = proveFamily(assertion, proofFor(rulesets[family]))
    const behind = finding.kind === 'holds' ? behindAuthentication(assertion, family, backend) : undefined
    const more = behind && proveFamily(behind, proofFor(authenticated))
    if (more?.kind === 'fails') return { ...more, words: `behind the authentication header, where ip6tables looks, ${more.words}` }
    return more && more.kind !== 'vacuous' ? more : finding
  }
  return assertions.map(assertion => ({ assertion, finding: proveAssertion(assertion, prove) }))
}

/** A family may have no rules about a zone that an assertion names. */
function zonesOf({ flow: { from, to }, outcome }: Assertion): readonly Zone[] {
  const ends = [...from.included, ...from.excluded, ...to.included, ...to.excluded]
  return [...ends.flatMap(({ place }) => (typeof place === 'string' ? [] : [place])), ...(outcome.kind === 'leaves' ? [outcome.zone] : [])]
}

/** A proof's circumstances in one family. */
interface Proof {
  readonly space: Space
  readonly ruleset: Ruleset
  readonly namespace: Namespace
  readonly family: Family
}

function proveAssertion(assertion: Assertion, prove: (assertion: Assertion, family: Family) => Finding): Finding {
  const { flow } = assertion
  const findings = flow.families.map(family => prove(assertion, family))
  const worst = findings.find(({ kind }) => kind === 'fails') ?? findings.find(({ kind }) => kind === 'unsure') ?? findings.find(({ kind }) => kind === 'holds')
  if (worst?.kind !== 'holds') return worst ?? findings[0] ?? { kind: 'vacuous', why: 'its ends are of different families' }
  return { kind: 'holds', withinLimits: findings.flatMap(finding => (finding.kind === 'holds' ? finding.withinLimits : [])) }
}

/** What a run of some of the packets contributes. */
interface Part {
  readonly start: Start
  readonly reached: Reached
  readonly good: PacketSet
  readonly bad: PacketSet
  readonly isEmpty: boolean
}

function proveFamily(assertion: Assertion, proof: Proof): Finding {
  const { sets } = proof.space
  const parts = (['arrive', 'make'] as const).flatMap(start => statesOf(assertion.flow).map(state => runPart(assertion, start, state, proof)))
  const asked = new Set(parts.flatMap(part => sets.freeVariables(part.bad).map(({ key }) => key)))
  const limits = parts.flatMap(part => limitVariables(part.reached)).filter(({ key }) => asked.has(key))
  const keys = limits.map(({ key }) => key)
  if (parts.every(part => part.isEmpty)) return { kind: 'vacuous', why: 'there is no such packet: nothing that this speaks of can come to the rules' }
  for (const part of parts) {
    const bad = keys.reduce((set, key) => sets.decide(set, key, true), part.bad)
    if (bad === sets.none) continue
    const good = keys.reduce((set, key) => sets.decide(set, key, true), part.good)
    const certain = sets.subtract(bad, sets.forgetFree(good, sets.freeVariables(good).map(({ key }) => key)))
    const wanted = certain === sets.none ? bad : certain
    const answerable = sets.intersect(wanted, sets.setOf(mayBeAnswered(part.start, proof)))
    const sample = sets.sample(answerable === sets.none ? wanted : answerable)
    if (!sample) continue
    const probe: Probe = { packet: sample.packet, ...(part.start === 'arrive' ? { inDevice: sample.inDevice } : {}) }
    if (certain === sets.none) return { kind: 'unsure', family: proof.family, probe, words: sets.freeVariables(bad).map(({ words }) => words) }
    const one = sets.intersect(certain, sets.setOf(samplePredicate(probe)))
    const decided = (set: PacketSet): PacketSet => sets.freeVariables(set).reduce((rest, { key }) => sets.decide(rest, key, keys.includes(key)), set)
    const fate = part.reached.fates.find(({ set }) => sets.meets(decided(set), one))
    return { kind: 'fails', family: proof.family, probe, by: fate?.by ?? acceptedBy(part.reached, one, proof), words: fateInWords(fate) }
  }
  return { kind: 'holds', withinLimits: assertion.outcome.kind === 'refused' ? [] : limits.flatMap(({ rules }) => rules) }
}

/** Returns what can be rejected so that somebody hears of it: one host's packets to one host. Kernel: to others no answer is sent. */
function mayBeAnswered(start: Start, { family, namespace }: Proof): Predicate {
  const groups = family === 'ipv4' ? masked('ip.dst', 0xe0000000, 0xe0000000) : masked('ip.dst', 0xffn << 120n, 0xffn << 120n)
  const own = start === 'arrive' ? any(ownAddresses(namespace, family).map(address => equals('ip.src', address))) : never
  return not(any([groups, own]))
}

/** Returns what tells a packet from most others of its set. */
function samplePredicate({ packet, inDevice }: Probe): Predicate {
  const { src, dst, protocol, dport } = packet
  return all([
    equals('ip.src', src), equals('ip.dst', dst), equals('ip.protocol', protocol), ...(dport === undefined ? [] : [equals('l4.dport', dport)]),
    ...(packet.icmp === undefined ? [] : [equals(packet.family === 'ipv4' ? 'icmp.type' : 'icmp6.type', packet.icmp.type)]),
    ...(inDevice === undefined ? [] : [onDevice('device.in', { name: inDevice, prefix: false })]),
  ])
}

function statesOf({ established, traffic }: Flow): readonly FlowState[] {
  if (established) return ['established', 'reply']
  const isRelated = traffic?.some(one => one.comesRelated) ?? false
  return isRelated ? (traffic?.every(one => one.comesRelated) ? ['related'] : ['new', 'related']) : ['new']
}

/** Limits let pass what stays below them, and that is what an assertion speaks of. */
function limitVariables({ variables }: Reached): readonly { readonly key: string; readonly rules: readonly Rule[] }[] {
  return [...variables.values()].filter(({ rules }) => rules.every(rule => rule.matches.some(use => LIMITS.has(use.name)) && !(rule.target?.kind === 'target' && rule.target.name === 'LOG')))
}

const LIMITS: ReadonlySet<string> = new Set(['limit', 'hashlimit', 'connlimit', 'time'])

function runPart(assertion: Assertion, start: Start, state: FlowState, proof: Proof): Part {
  const { space, ruleset } = proof
  const { sets } = space
  const every = startSet(space, start, state)
  const within = sets.intersect(every, sets.setOf(flowPredicate(assertion, start, state, proof)))
  const reached = reachableSets(space, ruleset, { start, state, within })
  const isNever = assertion.outcome.kind === 'refused'
  let good = sets.none
  let bad = sets.none
  for (const fate of reached.fates) {
    // What the kernel refuses wherever it stands is no packet that anyone could send.
    if (fate.by?.kind === 'kernel') continue
    const fine = isNever ? sets.subtract(fate.set, passedThere(assertion.flow, start, fate, proof)) : asExpected(assertion, fate, proof)
    good = sets.union(good, fine)
    bad = sets.union(bad, sets.subtract(fate.set, fine))
  }
  return { start, reached, good, bad, isEmpty: good === sets.none && bad === sets.none }
}

/** An expectation speaks of what is sent to its end; `never` also of what comes to it some other way. */
function flowPredicate({ flow, outcome }: Assertion, start: Start, state: FlowState, proof: Proof): Predicate {
  const { family, namespace } = proof
  const begins = (end: End): Predicate => (start === 'arrive' ? arrivesFrom(end, family) : madeBy(end, namespace, family))
  const from = all([any(flow.from.included.map(begins)), not(any(flow.from.excluded.map(begins)))])
  if (outcome.kind === 'refused') return from
  const traffic = flow.traffic?.filter(one => one.comesRelated === (state === 'related')).flatMap(one => onWay(one, start, flow))
  const sent = isPublished(flow) ? (flow.to.included.some(end => hasAddresses(end, family)) ? any(ownAddresses(namespace, family).map(address => equals('ip.dst', address))) : never) : sentToAny(flow, start, proof)
  return all([from, sent, ofTraffic(traffic, family), ...(state === 'new' ? [usual(flow.traffic, family)] : [])])
}

/** What is published is dialled at the firewall, and comes to its end by a translation. */
function isPublished({ traffic }: Flow): boolean {
  return traffic !== undefined && traffic.length > 0 && traffic.every(({ published }) => published)
}

function hasAddresses({ place, addresses }: End, family: Family): boolean {
  const known = addresses ?? (typeof place === 'string' ? undefined : place.at)
  return known === undefined || known[family].length > 0
}

/** What belongs to the link is never forwarded; listeners report to routers, which ask them. */
function onWay(traffic: Traffic, start: Start, { to }: Flow): readonly Traffic[] {
  const { messages } = traffic
  if (!traffic.onLink || !messages) return [traffic]
  if (start === 'arrive' && !to.included.some(({ place }) => place === 'fw')) return []
  return [{ ...traffic, messages: messages.filter(({ type }) => !(start === 'arrive' ? LISTENER_REPORTS : LISTENER_QUERIES).includes(type)) }]
}

function sentToAny({ to }: Pick<Flow, 'to'>, start: Start, proof: Proof): Predicate {
  const sent = (end: End): Predicate => sentTo(end, proof.namespace, proof.family, zone => routedTo(zone, start, proof))
  return all([any(to.included.map(sent)), not(any(to.excluded.map(sent)))])
}

/** Returns what the routes lead into a zone, as packets say it when they begin. */
function routedTo(zone: Zone, start: Start, { space }: Proof): Predicate {
  const earlier: Predicate[] = []
  const found: Predicate[] = []
  const ways: readonly (InputWay | OutputWay)[] = start === 'arrive' ? space.surroundings.inputWays : space.surroundings.outputWays
  for (const { when, way } of ways) {
    if (way.kind === 'forward' && way.device !== undefined && zone.devices.some(pattern => (pattern.prefix ? way.device?.startsWith(pattern.name) : way.device === pattern.name))) found.push(all([when, ...earlier.map(not)]))
    earlier.push(when)
  }
  return any(found)
}

function isPassed({ kind }: Fate): boolean {
  return kind === 'local' || kind === 'forward' || kind === 'sent'
}

/** Returns the packets of a fate of which a predicate holds when they leave or are delivered. */
function atEnd(predicate: Predicate, fate: Fate, { space }: Proof): PacketSet {
  return space.sets.intersect(fate.set, space.sets.setOf(readThrough(space.surroundings.ground(predicate), fate.rewriting)))
}

/** Returns what got through to the ends of a flow, or was sent to them and got through somewhere. */
function passedThere(flow: Flow, start: Start, fate: Fate, proof: Proof): PacketSet {
  const { sets } = proof.space
  if (!isPassed(fate)) return sets.none
  const { family } = proof
  const there = all([any(flow.to.included.map(end => goesTo(end, family))), not(any(flow.to.excluded.map(end => goesTo(end, family))))])
  const ends = sets.union(atEnd(there, fate, proof), sets.intersect(fate.set, sets.setOf(sentToAny({ to: { ...flow.to, included: flow.to.included.filter(end => mayEndAt(end, fate)) } }, start, proof))))
  const isOf = ofTraffic(flow.traffic, family)
  const meant = sets.union(sets.intersect(ends, sets.setOf(isOf)), sets.intersect(ends, atEnd(isOf, fate, proof)))
  const isTranslated = fate.rewriting.values.has('ip.dst')
  return flow.published && isTranslated ? sets.subtract(meant, sets.setOf(ofTraffic(flow.published, family))) : meant
}

/** What is delivered here did not get into a zone, and what is forwarded did not come to the firewall. */
function mayEndAt({ place }: End, { kind }: Fate): boolean {
  return place === 'any' || (place === 'fw') === (kind === 'local')
}

/** Returns the packets of a fate that are as an outcome says. */
function asExpected({ outcome, flow }: Assertion, fate: Fate, proof: Proof): PacketSet {
  const { sets } = proof.space
  switch (outcome.kind) {
    case 'dropped':
      return fate.kind === 'drop' ? fate.set : sets.none
    case 'rejected':
      return fate.kind === 'reject' ? fate.set : sets.none
    case 'refused':
      return isPassed(fate) ? sets.none : fate.set
    default:
      return isPassed(fate) ? atEnd(all([destinationOf(outcome), sourceOf(outcome, proof), isPublished(flow) ? any(flow.to.included.map(end => goesTo(end, proof.family))) : all([])]), fate, proof) : sets.none
  }
}

function destinationOf(outcome: Outcome): Predicate {
  if (outcome.kind === 'leaves') return onZone('device.out', outcome.zone)
  if (outcome.kind !== 'reaches') return all([])
  return all([equals('ip.dst', outcome.address), ...(outcome.port === undefined ? [] : [equals('l4.dport', outcome.port)])])
}

function sourceOf({ source }: Outcome, { namespace, family }: Proof): Predicate {
  if (source === undefined) return all([])
  return source === 'fw' ? any(ownAddresses(namespace, family).map(address => equals('ip.src', address))) : equals('ip.src', source)
}

/** Returns the rule or policy that let packets pass: the last to decide them in the table filter. */
function acceptedBy({ decisions }: Reached, packets: PacketSet, { space }: Proof): Decider | undefined {
  return decisions.findLast(({ verdict, by, set }) => verdict === 'accept' && by.kind !== 'kernel' && by.table === 'filter' && space.sets.intersect(set, packets) !== space.sets.none)?.by
}

function fateInWords(fate: Fate | undefined): string {
  if (!fate) return 'it is decided otherwise'
  return { local: 'it is delivered to the firewall', forward: 'it is forwarded', sent: 'it is sent', drop: 'it is dropped', reject: 'it is rejected', queue: 'it is handed to a program', stolen: 'it is taken away' }[fate.kind]
}
