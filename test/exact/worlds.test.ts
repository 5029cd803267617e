/** Sets through several hosts are exactly what the simulator makes of each packet: random worlds of three namespaces. */

import { describe, expect, test } from 'vitest'
import { compareWorld } from './compare-worlds.ts'

/** How many worlds of each kind, from which seed on, and packets in each and places where these start; what was run once is reported in src/symbolic/README.md. */
const WORLDS = Number(process.env['RULESETS'] ?? 2)
const FIRST = Number(process.env['SEED'] ?? 1)
const EFFORT = { packets: Number(process.env['PACKETS'] ?? 30), starts: Number(process.env['STARTS'] ?? 4) }
const KINDS = [
  { family: 'ipv4', backend: 'legacy', wire: 'eth0' }, { family: 'ipv4', backend: 'nft', wire: 'eth0' },
  { family: 'ipv6', backend: 'legacy', wire: 'eth0' }, { family: 'ipv6', backend: 'nft', wire: 'eth0' },
  { family: 'ipv4', backend: 'legacy', wire: 'p1' },
] as const

describe('sets through several hosts', () => {
  test.each(KINDS)(`are what the simulator says, for ${WORLDS} random worlds of $family and iptables-$backend with a wire to $wire`, kind => {
    const ends = new Map<string, number>()
    const differences: string[] = []
    for (let seed = FIRST; seed < FIRST + WORLDS; seed++) {
      const found = compareWorld(seed, EFFORT, kind, ends)
      if (found === undefined) continue
      differences.push(found)
      if (process.env['RULESETS'] !== undefined) console.log(found)
    }
    if (process.env['RULESETS'] !== undefined) console.log([...ends].sort().map(([end, count]) => `${end}: ${count}`).join('\n'))
    expect(differences[0]).toBeUndefined()
    expect(ends.size).toBeGreaterThan(5)
  }, 20_000 + WORLDS * 3000)

  test.each([
    { seed: 1365, family: 'ipv4', backend: 'legacy', what: 'a connection that has the port that nat gave an earlier one of the same packet' },
    { seed: 20009, family: 'ipv6', backend: 'legacy', what: 'a host that may not ask for a neighbour who asked for it before' },
    { seed: 200709, family: 'ipv6', backend: 'legacy', what: 'a bridge where nat gives packets another port and the address that they have' },
    { seed: 640851, family: 'ipv4', backend: 'legacy', wire: 'p1', packets: 20, starts: 2, what: 'a stranger behind the one bridge port that leads out' },
  ] as const)('meet $what', ({ seed, ...kind }) => expect(compareWorld(seed, { packets: 30, starts: 4, ...kind }, kind, new Map())).toBeUndefined(), 20_000)
})
