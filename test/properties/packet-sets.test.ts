/** Packet sets mean what predicates mean: every law here is checked against `evaluate` of single packets. */

import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { evaluate } from '../../src/meaning/evaluate.ts'
import { assignedValue } from '../../src/meaning/effect.ts'
import { all, any, not, onDevice, opaque } from '../../src/meaning/predicate.ts'
import type { Subject } from '../../src/meaning/subject.ts'
import type { Family } from '../../src/net/address.ts'
import type { Packet } from '../../src/packet/packet.ts'
import { isTooBig, makePacketSets } from '../../src/packetset/packet-sets.ts'
import type { Assignment } from '../../src/packetset/rewrite.ts'
import { deviceTerms, formulasOf, predicates, PREFIXES, terms } from './predicates.ts'
import { addresses, DEVICES, numbers, subjects } from './subjects.ts'

const families: readonly Family[] = ['ipv4', 'ipv6']
const universe = { devices: { names: DEVICES.filter(name => name !== ''), prefixes: PREFIXES, isClosed: false }, nodeLimit: 4_000_000 }

describe.each(families)('packet sets of %s', family => {
  let sets = makePacketSets(family, universe)

  beforeEach(() => {
    sets = makePacketSets(family, universe)
  })

  /** Checks with sets of its own each time: rewritten formulas may need many nodes. Those that need too many say so, and are passed over. */
  const alone = <A extends readonly unknown[]>(check: (...values: A) => void) => (...values: A): void => {
    sets = makePacketSets(family, universe)
    try {
      check(...values)
    } catch (error) {
      fc.pre(!isTooBig(error))
      throw error
    }
  }

  test('a term and its set agree on every packet', () => {
    fc.assert(fc.property(terms(family), fc.array(subjects(family), { minLength: 20, maxLength: 20 }), (term, packets) => {
      for (const packet of packets) expect(sets.includes(sets.setOf(term), packet)).toBe(evaluate(term, packet) ?? false)
    }), { numRuns: 600 })
  })

  test('a formula and its set agree on every packet', () => {
    fc.assert(fc.property(predicates(family), fc.array(subjects(family), { minLength: 10, maxLength: 10 }), (predicate, packets) => {
      for (const packet of packets) expect(sets.includes(sets.setOf(predicate), packet)).toBe(evaluate(predicate, packet) ?? false)
    }), { numRuns: 200 })
  })

  test('equal sets are equal numbers', () => {
    fc.assert(fc.property(predicates(family), predicates(family), (one, other) => {
      const [a, b] = [sets.setOf(one), sets.setOf(other)]
      expect(sets.intersect(a, b)).toBe(sets.setOf(all([other, one])))
      expect(sets.union(a, b)).toBe(sets.setOf(not(all([not(one), not(other)]))))
      expect(sets.subtract(a, b)).toBe(sets.intersect(a, sets.complement(b)))
      expect(sets.meets(a, b)).toBe(sets.intersect(a, b) !== sets.none)
      expect(sets.isSubset(a, sets.setOf(any([other, one])))).toBe(true)
      expect(sets.isSubset(a, b)).toBe(sets.subtract(a, b) === sets.none)
    }), { numRuns: 200 })
  })

  test('a cube is its set', () => {
    fc.assert(fc.property(fc.array(terms(family), { maxLength: 5 }), predicates(family), (conjunction, other) => {
      const whole = sets.setOf(all(conjunction))
      const cube = sets.cubeOf(conjunction)
      if (cube === undefined) return
      if (cube === 'never') {
        expect(whole).toBe(sets.none)
        return
      }
      const set = sets.setOf(other)
      expect(sets.setOfCube(cube)).toBe(whole)
      expect(sets.subtractCube(set, cube)).toBe(sets.subtract(set, whole))
      expect(sets.intersectCube(set, cube)).toBe(sets.intersect(set, whole))
      expect(sets.meetsCube(set, cube)).toBe(sets.meets(set, whole))
    }), { numRuns: 800 })
  })

  test('a cube and two others: where they meet, and what is common', () => {
    fc.assert(fc.property(fc.array(terms(family), { maxLength: 5 }), predicates(family), predicates(family), fc.array(terms(family), { maxLength: 5 }), (conjunction, one, other, second) => {
      const [cube, otherCube] = [sets.cubeOf(conjunction), sets.cubeOf(second)]
      if (typeof cube !== 'object') return
      const [a, b, whole] = [sets.setOf(one), sets.setOf(other), sets.setOfCube(cube)]
      expect(sets.meetInCube(a, b, cube)).toBe(sets.intersect(a, b, whole) !== sets.none)
      if (typeof otherCube !== 'object') return
      const common = sets.commonCube(cube, otherCube)
      expect(sets.isSubset(sets.union(whole, sets.setOfCube(otherCube)), sets.setOfCube(common))).toBe(true)
      expect(common).toEqual(cube.filter(literal => otherCube.includes(literal)))
    }), { numRuns: 400 })
  })

  test('a set is its cubes, which have no packet in common', () => {
    fc.assert(fc.property(predicates(family), predicate => {
      const set = sets.setOf(predicate)
      const cubes = sets.cubesOf(set, 12)?.map(cube => sets.setOfCube(cube))
      if (!cubes) return
      expect(sets.union(...cubes)).toBe(set)
      expect(cubes.some((cube, index) => cubes.slice(0, index).some(other => sets.meets(cube, other)))).toBe(false)
    }), { numRuns: 300 })
  })

  test('a sample is a member, and looks the same to evaluate', () => {
    fc.assert(fc.property(predicates(family), predicate => {
      const set = sets.setOf(predicate)
      const sample = sets.sample(set)
      expect(sample === undefined).toBe(set === sets.none)
      if (!sample || isOddPair(sample)) return
      expect(sets.includes(set, sample.subject)).toBe(true)
      expect(evaluate(predicate, sample.subject)).toBe(true)
    }), { numRuns: 200 })
  })

  test('a cover is the set again', () => {
    fc.assert(fc.property(predicates(family), predicate => {
      const set = sets.setOf(predicate)
      const { predicates: parts, isWhole } = sets.cover(set, 20)
      const union = sets.union(...parts.map(part => sets.setOf(part)))
      if (isWhole) expect(union).toBe(set)
      else expect(sets.isSubset(union, set)).toBe(true)
    }), { numRuns: 200 })
  })

  test('devices are covered by few patterns, whole', () => {
    fc.assert(fc.property(formulasOf(deviceTerms('device.in')), predicate => {
      const { predicates: parts, isWhole } = sets.cover(sets.setOf(predicate), 20)
      expect(isWhole).toBe(true)
      expect(sets.union(...parts.map(part => sets.setOf(part)))).toBe(sets.setOf(predicate))
    }), { numRuns: 400 })
  })

  test('what a rewriting brings into a set is what is in it afterwards', () => {
    const word = numbers(32)
    const step = fc.oneof(
      fc.record({ field: fc.constantFrom('mark' as const, 'ct.mark' as const), clear: word, flip: word }),
      fc.record({ field: fc.constant('mark' as const), clear: word, flip: fc.constant(0), from: fc.record({ field: fc.constant('ct.mark' as const), mask: word }), shift: fc.integer({ min: -31, max: 31 }) }),
      fc.record({ field: fc.constantFrom('ip.ttl' as const, 'ip.tos' as const), clear: numbers(8), flip: numbers(8) }),
    )
    fc.assert(fc.property(predicates(family), fc.array(step, { maxLength: 3 }), fc.integer({ min: -255, max: 255 }), fc.array(subjects(family), { minLength: 5, maxLength: 5 }), alone((predicate, steps, by, packets) => {
      const set = sets.setOf(predicate)
      const rewriting = steps.reduce((first, one) => sets.compose(first, sets.assigning(one.field, one)), sets.adjusting('ip.ttl', by))
      for (const packet of packets) {
        const after = steps.reduce(assigned, withFields(packet, { ttl: Math.min(255, Math.max(0, packet.packet.ttl + by)) }))
        expect(sets.includes(sets.readBack(set, rewriting), packet)).toBe(sets.includes(set, after))
      }
    })), { numRuns: 40, endOnFailure: true })
  })

  test('a constant is assigned, and an assignment is read back', () => {
    fc.assert(fc.property(predicates(family), addresses(family), numbers(32), numbers(32), fc.array(subjects(family), { minLength: 5, maxLength: 5 }), alone((predicate, dst, mask, bits, packets) => {
      const set = sets.setOf(predicate)
      const value = (bits & mask) >>> 0
      const all128 = family === 'ipv4' ? 0xffffffff : (1n << 128n) - 1n
      for (const packet of packets) {
        const elsewhere = withFields(packet, { dst })
        const marked = withFields(packet, { mark: ((packet.packet.mark & ~mask) | value) >>> 0 })
        if (isOddPair(packet) || isOddPair(elsewhere)) continue
        expect(sets.includes(sets.preimage(set, 'ip.dst', all128, dst), packet)).toBe(sets.includes(set, elsewhere))
        expect(sets.includes(sets.readBack(set, sets.setting('ip.dst', dst)), packet)).toBe(sets.includes(set, elsewhere))
        expect(sets.includes(sets.preimage(set, 'mark', mask, value), packet)).toBe(sets.includes(set, marked))
        if (!sets.includes(set, packet)) continue
        expect(sets.includes(sets.assign(set, 'mark', mask, value), marked)).toBe(true)
        expect(sets.includes(sets.exists(set, 'ip.dst'), elsewhere)).toBe(true)
      }
      const slower = sets.adjusting('ip.ttl', -1)
      for (const packet of packets) if (sets.includes(set, packet)) expect(sets.includes(sets.imageUnder(set, slower), withFields(packet, { ttl: Math.max(0, packet.packet.ttl - 1) }))).toBe(true)
      const image = sets.assign(set, 'mark', mask, value)
      expect(sets.isSubset(image, sets.setOfMasked('mark', mask, value))).toBe(true)
      expect(sets.imageUnder(set, sets.assigning('mark', { clear: mask, flip: value }))).toBe(image)
    })), { numRuns: 40, endOnFailure: true })
  })

  test('a range of values is a choice among them', () => {
    fc.assert(fc.property(predicates(family), numbers(16), numbers(16), fc.array(subjects(family), { minLength: 5, maxLength: 5 }), alone((predicate, one, other, packets) => {
      const [low, high] = [Math.min(one, other), Math.max(one, other)]
      const set = sets.setOf(predicate)
      const { rewriting, choices } = sets.choosing('l4.dport', low, high)
      expect(sets.constantOf(rewriting, 'l4.dport')).toBe(undefined)
      const free = sets.intersect(sets.readBack(set, rewriting), choices)
      for (const packet of packets) {
        const after = packet.packet.dport === undefined ? packet : withFields(packet, { dport: low + (packet.packet.dport % (high - low + 1)) })
        if (sets.includes(set, after)) expect(sets.includes(sets.preimageRange(set, 'l4.dport', low, high), packet)).toBe(true)
        if (sets.includes(set, packet)) expect(sets.includes(sets.assignRange(set, 'l4.dport', low, high), after)).toBe(true)
      }
      expect(free === sets.none).toBe(sets.preimageRange(set, 'l4.dport', low, high) === sets.none)
    })), { numRuns: 40, endOnFailure: true })
  })

  test('packets are counted once', () => {
    expect(sets.count(sets.setOfField('l4.dport', 80, 99), ['l4.dport'])).toBe(20n)
    expect(sets.count(sets.every, ['ip.protocol'])).toBe(256n)
    expect(sets.count(sets.every, ['ct.state'])).toBe(14n)
    expect(sets.count(sets.every, ['packetType', 'ct.direction'])).toBe(10n)
    expect(sets.count(sets.setOfField('ip.fragmentOffset', 0, 16), ['ip.fragmentOffset'])).toBe(3n)
    expect(sets.count(sets.setOf(not(onDevice('device.in', { name: 'eth', prefix: true }))), ['l4.sport'])).toBe(65536n)
    expect(sets.count(sets.none)).toBe(0n)
  })
})

/** Source and destination are one address, whose types a predicate may want to differ: no packet is like that. */
function isOddPair({ packet }: { readonly packet: { readonly src: unknown; readonly dst: unknown } }): boolean {
  return packet.src === packet.dst
}

function withFields(subject: Subject, fields: Partial<Packet>): Subject {
  return { ...subject, packet: { ...subject.packet, ...fields } }
}

/** Does what the simulator does for an assign effect. */
function assigned(subject: Subject, effect: Assignment & { readonly field: 'mark' | 'ct.mark' | 'ip.ttl' | 'ip.tos' }): Subject {
  const { connection, packet } = subject
  if ((effect.field === 'ct.mark' || effect.from) && !connection) return subject
  const before = { mark: packet.mark, 'ct.mark': connection?.mark ?? 0, 'ip.ttl': packet.ttl, 'ip.tos': packet.tos }
  const value = assignedValue({ kind: 'assign', ...effect }, before[effect.field], connection?.mark)
  if (effect.field === 'ct.mark') return connection ? { ...subject, connection: { ...connection, mark: value } } : subject
  return withFields(subject, effect.field === 'mark' ? { mark: value } : effect.field === 'ip.ttl' ? { ttl: value & 255 } : { tos: value & 255 })
}

test('a cube has its literal however many free variables there are', () => {
  const many = makePacketSets('ipv4', { devices: { names: [], prefixes: [], isClosed: false } })
  for (let number = 0; number < 6000; number++) expect(many.cubeOf([opaque(`chance ${number}`, 'chance')])).toHaveLength(1)
})
