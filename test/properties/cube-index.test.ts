/** An index and a sieve of cubes find those that asking each finds; the table of nodes finds every node again. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeBdd, makeNode, ONE, ZERO } from '../../src/packetset/bdd.ts'
import type { Cube } from '../../src/packetset/bdd-cubes.ts'
import { cubesAt, cubesMeet, cubesMeeting, cubesSieved, indexCubes, sieveCubes } from '../../src/packetset/cube-index.ts'

const LEVELS = 40

/** Few values of most variables, so that many cubes begin alike. */
const cube: fc.Arbitrary<Cube> = fc.array(fc.tuple(fc.nat(LEVELS - 1), fc.integer({ min: 0, max: 5 })), { maxLength: 12 }).map(pairs =>
  [...new Map(pairs.map(([level, value]) => [level, level * 2 + (value === 0 ? 1 : 0)])).values()].sort((one, other) => one - other))
const point = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: LEVELS, maxLength: LEVELS }).map(values => Uint8Array.from(values, value => (value === 0 ? 1 : 0)))

test('an index and a sieve leave out only cubes that do not fit', () => {
  fc.assert(
    fc.property(fc.array(fc.option(cube, { nil: undefined, freq: 9 }), { maxLength: 60 }), cube, point, fc.nat(59), (cubes, asked, values, from) => {
      const index = indexCubes(cubes)
      const places = [...cubes.keys()]
      const holds = (at: number): boolean => cubes[at]?.every(literal => values[literal >> 1] === (literal & 1)) ?? false
      const widened = new Uint8Array(Math.max(LEVELS, index.values.length))
      widened.set(values)
      expect(cubesMeeting(index, asked, from)).toEqual(places.filter(at => at >= from && cubes[at] && cubesMeet(cubes[at], asked)))
      expect(cubesAt(index, widened, from)).toEqual(places.filter(at => at >= from && holds(at)))
      const sieved = cubesSieved(sieveCubes(cubes), values, from)
      expect(sieved.filter(holds)).toEqual(places.filter(at => at < from && holds(at)))
    }),
    { numRuns: 500 },
  )
})

test('a node is found again, however many others stand beside its place', () => {
  const bdd = makeBdd(1_000_000, 0)
  const made = new Map<string, number>()
  const edges = [ONE, ZERO]
  for (let level = 200; level >= 0; level--) {
    const below = edges.slice(-60)
    for (const [place, low] of below.entries()) {
      const high = below[(place * 7 + level) % below.length] ?? ONE
      const edge = makeNode(bdd, level, low, high)
      made.set(`${level} ${low} ${high}`, edge)
      edges.push(edge, edge ^ 1)
    }
  }
  expect(bdd.count).toBeGreaterThan(8000)
  const again = new Map([...made.keys()].map(key => {
    const [level = 0, low = 0, high = 0] = key.split(' ').map(Number)
    return [key, makeNode(bdd, level, low, high)]
  }))
  expect(again).toEqual(made)
})
