/**
 * Packets that seem to be sent from an address to itself where it is the host's own as a destination and another's as a source. Sets
 * of surroundings of which nothing is known have them (to compare two addresses bit by bit takes as many nodes as there are addresses);
 * no host does.
 */

import { ADDRESS_TYPE } from '../meaning/fields.ts'
import { all, any, equals, masked } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import { addressWidth } from '../net/address.ts'
import type { PacketCube, PacketSet, PacketSets } from '../packetset/packet-sets.ts'

/** What is asked of sets in one collection. */
export interface SelfAddressed {
  /** Tells whether a set has a packet that some host may see. */
  readonly isPossible: (set: PacketSet) => boolean
  /** Returns a part of the set without such packets; not all of it. */
  readonly possiblePart: (set: PacketSet) => PacketSet
}

/** Returns what can be asked about sets of packets that arrive. */
export function selfAddressed(sets: PacketSets): SelfAddressed {
  const cubes = differingBits(sets)
  const sameTypes = sets.setOf(any(Object.values(ADDRESS_TYPE).map(type => all([equals('addressType.src', type), equals('addressType.dst', type)]))))
  const apart = (set: PacketSet): PacketCube | undefined => cubes.find(cube => sets.meetsCube(set, cube))
  return {
    isPossible: set => set !== sets.none && (sets.meets(set, sameTypes) || apart(set) !== undefined),
    possiblePart(set) {
      const cube = apart(set)
      return cube ? sets.intersectCube(set, cube) : sets.intersect(set, sameTypes)
    },
  }
}

/** Two addresses differ where one bit of them does. */
function differingBits(sets: PacketSets): readonly PacketCube[] {
  const width = addressWidth(sets.family)
  const places = Array.from({ length: width }, (_, place) => place)
  return places.flatMap(place => [0, 1].flatMap(value => {
    const cube = sets.cubeOf([bitIs('ip.src', sets.family, place, value), bitIs('ip.dst', sets.family, place, 1 - value)])
    return cube === undefined || cube === 'never' ? [] : [cube]
  }))
}

function bitIs(field: 'ip.src' | 'ip.dst', family: Family, place: number, value: number): Predicate {
  if (family === 'ipv6') return masked(field, 1n << BigInt(place), BigInt(value) << BigInt(place))
  const bit = 2 ** place
  return masked(field, bit, value * bit)
}
