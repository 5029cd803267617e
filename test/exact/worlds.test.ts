/** Sets through several hosts are exactly what the simulator makes of each packet: random worlds of three namespaces. */

import { describe, expect, test } from 'vitest'
import { frameWaysOf } from '../../src/analyze/frame-ways.ts'
import { fieldRow } from '../../src/meaning/fields.ts'
import { legsOf, mainWay, sendThrough } from '../../src/simulate/journey.ts'
import type { Journey } from '../../src/simulate/journey.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { Packet } from '../../src/packet/packet.ts'
import type { Subject } from '../../src/meaning/subject.ts'
import { followSets } from '../../src/symbolic/journey.ts'
import type { WorldFate } from '../../src/symbolic/journey.ts'
import { valueFor } from '../../src/symbolic/value.ts'
import { makeSymbolicWorld } from '../../src/symbolic/world.ts'
import type { SymbolicWorld } from '../../src/symbolic/world.ts'
import { startIn } from '../../src/symbolic/world-start.ts'
import { setOfProbe } from './enumerate.ts'
import { makeChance } from '../chance.ts'
import { randomPacket, randomWorld } from './random-worlds.ts'
import { endOf } from './small-universe.ts'

/** How many worlds; what was run once is reported in src/symbolic/README.md. */
const WORLDS = Number(process.env['WORLDS'] ?? 12)
const FIRST = Number(process.env['FIRST'] ?? 1)
const PACKETS = Number(process.env['PACKETS'] ?? 30)

describe('sets through several hosts', () => {
  test(`are what the simulator says, for ${WORLDS} random worlds`, () => {
    const ends = new Map<string, number>()
    for (let seed = FIRST; seed < FIRST + WORLDS; seed++) {
      const chance = makeChance(seed)
      const small = randomWorld(chance)
      const { topology, rulesetsOf } = small
      const world = makeSymbolicWorld({ family: 'ipv4', topology, rulesetsOf, find: frameWaysOf(topology, rulesetsOf, 'legacy') })
      const reached = new Map<string, readonly WorldFate[]>()
      for (let count = 0; count < PACKETS; count++) {
        const probe = randomPacket(chance, small)
        const { namespace = '', inDevice } = probe
        const start = inDevice === undefined ? 'make' : 'arrive'
        const key = `${namespace} ${start}`
        const fates = reached.get(key) ?? followSets(world, { namespace, start, state: 'new', set: startIn(world, { start, state: 'new', devices: inDevice === undefined ? [] : [inDevice] }) }).fates
        reached.set(key, fates)
        const decisions = new Map([...world.variables.keys()].map(variable => [variable, chance.once(2)]))
        const journey = sendThrough(makeWorld({ topology, rulesets: [], rulesetsOf }), probe, { record: 'none', assume: decisions })
        const set = setOfProbe(world, probe, decisions)
        const texts = [...new Set(fates.filter(fate => world.sets.meets(fate.set, set)).map(fate => fateText(world, fate, probe.packet)))]
        const wanted = journeyText(journey)
        // A packet that comes to a host again may meet a connection of its own earlier visit: a known gap (src/symbolic/README.md).
        if (wanted.includes('confirm-clash') && visitsAgain(journey)) continue
        ends.set(wanted.split(' ').slice(0, 2).join(' '), (ends.get(wanted.split(' ').slice(0, 2).join(' ')) ?? 0) + 1)
        if (texts.length !== 1 || texts[0] !== wanted) expect.fail(`seed ${seed}\n${JSON.stringify(probe)}\nsimulator: ${wanted}\nsets:      ${texts.join(' | ') || 'nothing'}\n${small.text}`)
      }
    }
    if (process.env['WORLDS'] !== undefined) console.log([...ends].sort().map(([end, count]) => `${end}: ${count}`).join('\n'))
    expect(ends.size).toBeGreaterThan(5)
  }, 20_000 + WORLDS * 3000)
})

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

function visitsAgain(journey: Journey): boolean {
  const names = mainWay(journey.start).map(leg => leg.namespace)
  return new Set(names).size < names.length
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
