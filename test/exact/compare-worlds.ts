/** Compares what the sets say of random worlds with what the simulator makes of single packets. */

import { frameWaysOf } from '../../src/analyze/frame-ways.ts'
import { fieldRow } from '../../src/meaning/fields.ts'
import { legsOf, mainWay, sendThrough } from '../../src/simulate/journey.ts'
import type { Journey } from '../../src/simulate/journey.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { Packet } from '../../src/packet/packet.ts'
import type { Subject } from '../../src/meaning/subject.ts'
import { followSets } from '../../src/symbolic/journey.ts'
import type { WorldFate, WorldReached } from '../../src/symbolic/journey.ts'
import { valueFor } from '../../src/symbolic/value.ts'
import { makeSymbolicWorld } from '../../src/symbolic/world.ts'
import type { SymbolicWorld } from '../../src/symbolic/world.ts'
import { startIn } from '../../src/symbolic/world-start.ts'
import { setOfProbe } from './enumerate.ts'
import { makeChance } from '../chance.ts'
import { randomPacket, randomWorld } from './random-worlds.ts'
import type { Wire } from './random-worlds.ts'
import { endOf } from './small-universe.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Family } from '../../src/net/address.ts'

/** Of which family the packets are, and which iptables has the rules. */
export interface WorldKind {
  readonly family: Family
  readonly backend: Backend
  readonly wire?: Wire
}

/** How much is asked of each world. */
export interface WorldEffort {
  readonly packets: number
  /** Packets start in so many places at most: sets are followed from each of them. */
  readonly starts: number
}

/** Returns the first packet of a world whose end the sets do not tell, with all that it takes to see why; notes the ends of the others. */
export function compareWorld(seed: number, { packets, starts }: WorldEffort, { family, backend, wire }: WorldKind, ends: Map<string, number>): string | undefined {
  const chance = makeChance(seed)
  const small = randomWorld(chance, family, wire)
  const { topology, rulesetsOf } = small
  const world = makeSymbolicWorld({ family, topology, rulesetsOf, backend, find: frameWaysOf(topology, rulesetsOf, backend) })
  const reached = new Map<string, Pick<WorldReached, 'fates' | 'undecided' | 'notes'>>()
  for (let sent = 0; sent < packets; sent++) {
    const probe = randomPacket(chance, small)
    const { namespace = '', inDevice } = probe
    const start = inDevice === undefined ? 'make' : 'arrive'
    const key = `${namespace} ${start}`
    if (!reached.has(key) && reached.size >= starts) continue
    const { fates, undecided, notes } = reached.get(key) ?? followSets(world, { namespace, start, state: 'new', set: startIn(world, { start, state: 'new', devices: inDevice === undefined ? [] : [inDevice] }) })
    reached.set(key, { fates, undecided, notes })
    const decisions = new Map([...world.variables.keys()].map(variable => [variable, chance.once(2)]))
    const journey = sendThrough(makeWorld({ topology, rulesets: [], rulesetsOf, backend }), probe, { record: 'none', assume: decisions })
    const set = setOfProbe(world, probe, decisions)
    const texts = [...new Set(fates.filter(fate => world.sets.meets(fate.set, set)).map(fate => fateText(world, fate, probe.packet)))]
    const wanted = journeyText(journey)
    if (world.sets.meets(undecided, set)) {
      count(ends, `said to be open, ${[...notes].join(', ')}`)
      continue
    }
    count(ends, wanted.split(' ').slice(0, 2).join(' '))
    if (texts.length !== 1 || texts[0] !== wanted) return `${family} ${backend} seed ${seed}\n${asText(probe)}\nsimulator: ${wanted}\nsets:      ${texts.join(' | ') || 'nothing'}\n${small.text}`
  }
  return undefined
}

function count(ends: Map<string, number>, end: string): void {
  ends.set(end, (ends.get(end) ?? 0) + 1)
}

function asText(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? one.toString(16) : one))
}

function journeyText(journey: Journey): string {
  const way = mainWay(journey.start)
  const last = way.at(-1) ?? journey.start
  const { outcome } = last.trace
  const { packet } = outcome
  const circles = legsOf(journey.start).some(leg => leg.crossings.some(({ kind }) => kind === 'circles'))
  const isOut = outcome.kind === 'forward' || outcome.kind === 'sent' || outcome.kind === 'bridge'
  const exit = last.crossings.find(({ kind }) => kind === 'leaves')
  const kind = outcome.kind === 'reject' || outcome.kind === 'drop' ? 'ended' : isOut ? `leaves by ${exit?.from.device ?? 'nothing'}` : outcome.kind
  const end = endOf(outcome)
  const reason = circles || (end === 'ttl-exceeded' && isCircle(way.map(leg => leg.namespace))) ? 'circles' : end
  const headers = reason === 'circles' ? '' : `${packet.src} ${packet.dst} ${packet.sport ?? ''} ${packet.dport ?? ''} ttl ${packet.ttl} tos ${packet.tos} mark ${packet.mark}`
  return reason === 'circles' ? `${kind} circles` : `${kind} ${last.namespace} ${reason} ${headers}`
}

/** Four times in one namespace. */
function isCircle(names: readonly string[]): boolean {
  return names.some(name => names.filter(other => other === name).length > 3)
}

function fateText({ rewritings }: SymbolicWorld, { kind, by, namespace, port, rewriting }: WorldFate, packet: Packet): string {
  const end = !by ? '' : by.kind === 'rule' ? `rule ${by.rule.id} in ${by.hook} of ${by.table}` : by.kind === 'policy' ? `policy of ${by.chain.name} in ${by.table}` : by.reason
  const said = kind === 'drop' || kind === 'reject' ? 'ended' : kind === 'forward' || kind === 'sent' ? `leaves by ${port}` : kind
  if (end === 'circles') return `${said} circles`
  const now = (field: Parameters<typeof fieldRow>[0]): bigint | undefined => valueFor(rewritings.valueOf(rewriting, field), from => fieldRow(from).read({ packet } as unknown as Subject))
  return `${said} ${namespace} ${end} ${now('ip.src')} ${now('ip.dst')} ${now('l4.sport') ?? ''} ${now('l4.dport') ?? ''} ttl ${now('ip.ttl')} tos ${now('ip.tos')} mark ${now('mark')}`
}
