/** Every cell of a matrix is what the simulator says of all packets from a source to a destination: random rulesets, a small universe. */

import { describe, test } from 'vitest'
import { reachMatrix } from '../../src/analyze/matrix.ts'
import type { ReachMatrix } from '../../src/analyze/matrix.ts'
import type { AddressGroup } from '../../src/analyze/matrix-groups.ts'
import type { Way } from '../../src/analyze/matrix-passage.ts'
import { readNamedService } from '../../src/analyze/matrix-service.ts'
import { examplesOf } from '../../src/analyze/matrix-examples.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { readAddress, writeAddress } from '../../src/net/address.ts'
import { makePacket } from '../../src/packet/packet.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Outcome } from '../../src/simulate/trace-events.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { makeChance } from '../chance.ts'
import { randomRules } from './random-rules.ts'
import { manySeeds } from './seeds.ts'
import { rulesetOf, smallTopology } from './small-universe.ts'

const SEEDS = manySeeds(24)
const PAIRS = 6
const TABLES = [['filter'], ['nat', 'filter'], ['mangle', 'filter'], ['raw', 'mangle', 'nat', 'filter']] as const
const WAYS: readonly Way[] = ['any', 'FORWARD', 'INPUT', 'OUTPUT']
const ADDRESSES = ['10.0.0.5', '10.0.1.7', '198.51.100.9', '10.0.0.1', '10.0.1.1', '10.0.0.77', '10.9.0.5', '192.0.2.1'].map(text => Number(readAddress(text)))
/** The host part of every address counts then: its groups are no ranges. */
const NETMAP = /-j NETMAP/
const OWN = ['10.0.0.1', '10.0.1.1'].map(text => Number(readAddress(text)))
const FREE = ['a', 'b'].map(text => `-m string --string "${text}" --algo bm`)

describe('who may reach whom', () => {
  const topology = smallTopology()
  const [namespace] = topology.namespaces

  test(`is what the simulator says, for ${SEEDS.rulesets} random rulesets`, { timeout: SEEDS.timeout }, () => {
    SEEDS.run((seed, count) => {
      const differences: string[] = []
      const chance = makeChance(seed)
      const text = randomRules(chance, TABLES[seed % TABLES.length] ?? ['filter'])
      const ruleset = rulesetOf(text)
      const way = chance.pick(WAYS)
      const service = readNamedService(chance.pick(['tcp/22', 'udp/53', 'http']), 'ipv4')
      if (typeof service === 'string' || !namespace) throw new Error('the universe is there')
      const matrix = reachMatrix({ ruleset, service, way, namespace })
      count(matrix ? 'matrices' : 'too big')
      if (!matrix) return NETMAP.test(text) ? [] : [`too big, though no NETMAP of all addresses makes many groups\n${text}`]
      const anywhere = way === 'any' ? undefined : reachMatrix({ ruleset, service, way })
      const [protocol, port] = service.words === 'udp/53' ? [17, 53] : [6, service.words === 'tcp/22' ? 22 : 80]
      for (let pair = 0; pair < PAIRS; pair++) {
        const [src, dst] = [chance.pick(ADDRESSES), chance.pick(ADDRESSES)]
        const sent = outcomes(ruleset, text, { way, src, dst, protocol, port })
        const wanted = kindOf(sent, way)
        const found = cellOf(matrix, src, dst)
        const about = `${way} ${service.name} ${writeAddress(src)} > ${writeAddress(dst)}`
        count('pairs')
        count(`cells ${wanted}`)
        count('packets', sent.length)
        if (found !== wanted) differences.push(`${about}: the matrix says ${found}, the simulator ${wanted}\n${text}`)
        const free = anywhere && isPlain(way, src, dst) ? cellOf(anywhere, src, dst) : undefined
        if (free !== undefined && free !== 'some' && found !== 'never' && found !== free) differences.push(`${about}: ${found} here, and in every network ${free}\n${text}`)
      }
      const open = matrix.cells.flat().filter(({ kind }) => kind === 'yes' || kind === 'some')
      const examples = examplesOf(matrix, ruleset, 5).length
      count('examples', examples)
      if (examples < Math.min(open.length, 5)) differences.push(`${way} ${service.name}: ${Math.min(open.length, 5) - examples} cells let packets through and have no example\n${text}`)
      return differences
    })
  })

  function outcomes(ruleset: Ruleset, text: string, { way, src, dst, protocol, port }: { readonly way: Way; readonly src: number; readonly dst: number; readonly protocol: number; readonly port: number }): readonly Outcome[] {
    const found: Outcome[] = []
    for (const inDevice of way === 'OUTPUT' ? [undefined] : ['eth0', 'eth1']) {
      for (const ttl of /ttl/i.test(text) ? [32, 63, 64, 65, 66, 255] : [64]) {
        for (const choice of /string/.test(text) ? [0, 1, 2, 3] : [0]) {
          const transport = protocol === 6 ? { tcp: { flags: 2, seq: 0, ack: 0, window: 64240, optionKinds: [] } } : {}
          const packet = makePacket({ protocol, ttl, src, dst, sport: 40000, dport: port, ...transport, ...(inDevice === undefined ? { socket: { uid: 0, gid: 0 } } : {}) })
          const assume = new Map(FREE.map((key, index) => [key, (choice & (1 << index)) !== 0]))
          found.push(trace(makeWorld({ topology, rulesets: [ruleset] }), inDevice === undefined ? { packet } : { packet, inDevice }, { record: 'none', assume }).outcome)
        }
      }
    }
    return found
  }
})

/** Packets between hosts, and to or from this one: without a topology the matrix is about these. */
function isPlain(way: Way, src: number, dst: number): boolean {
  const isOwn = (address: number): boolean => OWN.includes(address)
  return isOwn(src) === (way === 'OUTPUT') && isOwn(dst) === (way === 'INPUT')
}

/** What a cell says of packets that fare so. */
function kindOf(outcomes: readonly Outcome[], way: Way): string {
  const going = outcomes.filter(outcome => way === 'any' || way === 'OUTPUT' || wayOf(outcome) === way || wayOf(outcome) === undefined)
  const through = going.filter(outcome => !('by' in outcome))
  return going.length === 0 ? 'never' : through.length === 0 ? 'no' : through.length === going.length ? 'yes' : 'some'
}

/** The way that a packet took, undefined where it ended before it took one. */
function wayOf(outcome: Outcome): Way | undefined {
  if (!('by' in outcome)) return outcome.kind === 'local' ? 'INPUT' : 'FORWARD'
  const { by } = outcome
  if (by.kind === 'kernel' && (by.reason === 'ttl-exceeded' || by.reason === 'not-unicast-frame')) return 'FORWARD'
  const hook = by.kind === 'kernel' ? by.hook : by.place.hook
  return hook === 'INPUT' ? 'INPUT' : hook === 'FORWARD' || hook === 'POSTROUTING' ? 'FORWARD' : undefined
}

function cellOf({ sources, destinations, cells }: ReachMatrix, src: number, dst: number): string {
  const has = (groups: readonly AddressGroup[], address: number): boolean => groups.some(({ runs }) => runs.some(({ low, high }) => low <= BigInt(address) && BigInt(address) <= high))
  const row = sources.findIndex(groups => has(groups, src))
  const column = destinations.findIndex(groups => has(groups, dst))
  return cells[row]?.[column]?.kind ?? 'never'
}
