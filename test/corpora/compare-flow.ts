/** One recorded packet against the simulator. */

import type { Ruleset } from '../../src/ir/ruleset.ts'
import { writeAddress } from '../../src/net/address.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Trace } from '../../src/simulate/trace-events.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { Host, World } from '../../src/simulate/world.ts'
import { preparedAt, rulesOf } from '../../src/simulate/prepare.ts'
import type { PreparedChain, PreparedMatch } from '../../src/simulate/prepare.ts'
import type { Subject } from '../../src/meaning/subject.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { probeOf } from './flow-files.ts'
import type { RecordedPacket } from './flow-files.ts'

/** `open` names what the packet's way hangs on: extensions that are not modelled, the time of day, a recording with a second packet in it. */
export type Comparison = { readonly kind: 'same' } | { readonly kind: 'open'; readonly because: readonly string[] } | { readonly kind: 'different'; readonly what: string }

/** What the limits of a recorded ruleset remember, by host. */
export type Memories = Map<string, Host['memories']>

/**
 * Sends the packet into a world without connections and compares rules and fate. One limit served all packets of a file, and how
 * much time lay between two is not recorded: its bucket may be as the packets before left it, or full again.
 */
export function compareFlow(recorded: RecordedPacket, ruleset: Ruleset, topology: Topology, memories: Memories): Comparison {
  const later = compareInWorld(recorded, ruleset, topology, memories)
  if (later.kind === 'same') return later
  const fresh = compareInWorld(recorded, ruleset, topology, new Map())
  return fresh.kind === 'same' || !compareWithSomeLimitsUsedUp(recorded, ruleset, topology) ? fresh : { kind: 'same' }
}

/** More limits than that on one way are not tried in all combinations. */
const MOST_LIMITS = 6

/** Tells whether the recorded way is the one where some of the limits that the packet meets are used up, and the others not. */
function compareWithSomeLimitsUsedUp(recorded: RecordedPacket, ruleset: Ruleset, topology: Topology): boolean {
  const tried = new Set<string>()
  const tryWith = (usedUp: readonly number[]): boolean => {
    if (tried.has(usedUp.join()) || usedUp.length > MOST_LIMITS) return false
    tried.add(usedUp.join())
    const world = makeWorld({ topology, rulesets: [ruleset] })
    const result = trace(withLimitsUsedUp(world, usedUp), probeOf(recorded, ruleset.family), { record: 'all' })
    if (unknownExtensions(result).length > 0) return false
    return differenceOf(recorded, result) === undefined || limitsMet(result).some(rule => !usedUp.includes(rule) && tryWith([...usedUp, rule].sort((one, other) => one - other)))
  }
  return tryWith([])
}

/** Rules with a limit that matched, by their number in the ruleset. */
function limitsMet(result: Trace): readonly number[] {
  return result.events.flatMap(event => (event.kind === 'rule' && event.place.rule.matches.some(use => use.name === 'limit') ? [event.place.rule.id] : []))
}

/** A bucket that was never filled lets nothing through. */
function withLimitsUsedUp(world: World, rules: readonly number[]): World {
  for (const host of world.hosts.values()) {
    for (const chains of Object.values(host.rulesets.ipv4?.builtIn ?? host.rulesets.ipv6?.builtIn ?? {})) {
      for (const chain of Object.values(chains)) for (const match of limitsBelow(chain, rules, new Set())) host.memories.set(match, usedUp(match))
    }
  }
  return world
}

function limitsBelow(chain: PreparedChain, rules: readonly number[], seen: Set<PreparedChain>): readonly PreparedMatch[] {
  if (seen.has(chain)) return []
  seen.add(chain)
  const contents = rulesOf(chain)
  return [...contents.rules.keys()].flatMap(index => preparedAt(contents, index) ?? []).flatMap(rule => [
    ...(rules.includes(rule.rule.id) ? rule.matches.filter(match => match.use.name === 'limit') : []),
    ...(rule.jump ? limitsBelow(rule.jump.to, rules, seen) : []),
  ])
}

/** The state of a limit after as many packets as it lets through at once. */
function usedUp({ use, memory }: PreparedMatch): unknown {
  const state = memory?.start(use.infos)
  const nobody = {} as Subject
  for (let packet = 0; packet < 10_001 && memory?.step(state, use.infos, nobody, 0) === true; packet++);
  return state
}

function compareInWorld(recorded: RecordedPacket, ruleset: Ruleset, topology: Topology, memories: Memories): Comparison {
  const world = makeWorld({ topology, rulesets: [ruleset] })
  for (const [name, host] of world.hosts) {
    for (const [key, state] of memories.get(name) ?? []) host.memories.set(key, state)
    memories.set(name, host.memories)
  }
  const result = trace(world, probeOf(recorded, ruleset.family), { record: 'all' })
  const unknown = unknownExtensions(result)
  if (unknown.length > 0) return { kind: 'open', because: unknown }
  const difference = differenceOf(recorded, result)
  if (difference === undefined) return { kind: 'same' }
  const doubt = doubtsOf(recorded, result)
  return doubt.length > 0 ? { kind: 'open', because: doubt } : { kind: 'different', what: difference }
}

/** The same where chance decides: one of the ways that the packet may take is the recorded one. */
export function compareSomeWay(recorded: RecordedPacket, ruleset: Ruleset, topology: Topology): Comparison {
  const ways = allWays(assume => trace(makeWorld({ topology, rulesets: [ruleset] }), probeOf(recorded, ruleset.family), { assume }))
  const differences = ways.map(way => differenceOf(recorded, way))
  return differences.includes(undefined) ? { kind: 'same' } : { kind: 'different', what: `${ways.length} ways, the first: ${differences[0]}` }
}

/** Runs with every combination of values for the free variables that the runs meet. */
function allWays(run: (assume: ReadonlyMap<string, boolean>) => Trace, given: ReadonlyMap<string, boolean> = new Map()): readonly Trace[] {
  const first = run(given)
  const further = first.assumed.flatMap((turned, index) => {
    const before = first.assumed.slice(0, index).map(({ key, value }) => [key, value] as const)
    return allWays(run, new Map([...given, ...before, [turned.key, !turned.value]]))
  })
  return [first, ...further]
}

function differenceOf(recorded: RecordedPacket, result: Trace): string | undefined {
  const hits = hitsOf(result)
  const expected = recordedHits(recorded).map(({ table, chain, number }) => `${table} ${chain} ${number}`)
  const missing = expected.filter(hit => !hits.has(hit))
  const extra = [...hits].filter(hit => !expected.includes(hit))
  if (missing.length > 0 || extra.length > 0) return `rules: not ours ${missing.join(', ')}; only ours ${extra.join(', ')}`
  const said = recorded.outcome
  const fate = fateOf(result)
  const wanted = [said.kind, said.oif ?? said.iif, said.src, said.dst, said.sport, said.dport].filter(part => part !== undefined).join(' ')
  return fate === wanted ? undefined : `fate: kernel ${wanted}, ours ${fate}`
}

function recordedHits(recorded: RecordedPacket) {
  return Object.entries(recorded.hits).flatMap(([table, chains]) => Object.entries(chains).flatMap(([chain, numbers]) => numbers.map(number => ({ table, chain, number }))))
}

/** What the recorded hosts and packets had nothing of, so that it is right to assume that these do not match: IPsec, sockets, routing headers, flow labels that spell a word. */
const ABSENT: ReadonlySet<string> = new Set(['policy', 'socket', 'rt', 'string'])

/** Extensions whose meaning is not known, where the packet met them. */
function unknownExtensions(result: Trace): readonly string[] {
  const names = result.events.flatMap(event => {
    if (event.kind === 'assumption') return [event.words.replace(/^-m /, '').split(' ')[0] ?? event.words].filter(name => !ABSENT.has(name))
    if (event.kind !== 'rule' || event.place.rule.target?.kind !== 'target') return []
    return event.place.rule.target.words ? [event.place.rule.target.name] : []
  })
  return [...new Set(names)]
}

/** Why a difference may be the recording's: one limit served all packets of a file, and late packets of others were counted too. */
function doubtsOf(recorded: RecordedPacket, result: Trace): readonly string[] {
  const isLimited = result.events.some(event => (event.kind === 'miss' && event.failed.name === 'limit') || (event.kind === 'rule' && event.place.rule.matches.some(use => use.name === 'limit')))
  const chains = new Set(recordedHits(recorded).map(({ chain }) => chain))
  const isForwarded = chains.has('FORWARD') || recorded.outcome.kind === 'out'
  const isRefused = recorded.outcome.send_error !== undefined && recorded.outcome.kind === 'local'
  const isMixed = isRefused || (chains.has('INPUT') && isForwarded) || (recorded.in !== null && chains.has('OUTPUT')) || (recorded.in === null && chains.has('PREROUTING') && recorded.outcome.iif !== 'lo')
  return [...(isLimited ? ['limit used up by the packets before'] : []), ...(isMixed ? ['a second packet in the recording'] : [])]
}

/** Answers have counts of their own, which were not recorded. */
function hitsOf(result: Trace): ReadonlySet<string> {
  return new Set(result.events.flatMap(event => {
    if (event.kind === 'rule') return [`${event.place.table} ${event.place.chain.name} ${event.place.number}`]
    return event.kind === 'policy' ? [`${event.place.table} ${event.place.chain.name} policy`] : []
  }))
}

/** An answer that is dropped on its way had been seen by the recorder. */
function fateOf({ outcome, answers }: Trace): string {
  if (outcome.kind === 'drop' && answers.length > 0) return 'reject'
  const kind = outcome.kind === 'forward' || outcome.kind === 'sent' ? 'out' : outcome.kind
  if (!('device' in outcome)) return kind
  const { packet } = outcome
  const hasPorts = packet.sport !== undefined
  return [kind, outcome.device, writeAddress(packet.src), writeAddress(packet.dst), ...(hasPorts ? [packet.sport, packet.dport] : [])].join(' ')
}
