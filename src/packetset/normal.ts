/** One spelling for each packet, for counting: spare codes left out, and 0 in the fields that a packet lacks. */

import { and, makeNode, ONE, or, variable } from './bdd.ts'
import type { Edge } from './bdd.ts'
import { inTable, underMask } from './bdd-values.ts'
import { codingOf } from './layout.ts'
import type { Coding, LaidField } from './layout.ts'
import { gateEdge, gateOf } from './space.ts'
import type { Space } from './space.ts'
import { CT_STATE } from '../meaning/fields.ts'

const normals = new WeakMap<Space, Edge>()

/** Returns the packets in their one spelling; made once for each space. */
export function normalEdge(space: Space): Edge {
  const known = normals.get(space)
  if (known !== undefined) return known
  const edge = [...space.layout.codings.keys()].reverse().reduce((set, field) => and(space.bdd, set, normalField(space, field)), ONE)
  normals.set(space, edge)
  return edge
}

function normalField(space: Space, field: LaidField): Edge {
  const coding = codingOf(space.layout, field)
  const { bits } = coding
  const zero = underMask(space.bdd, bits, (1n << BigInt(bits.width)) - 1n, 0n)
  const proper = properCodes(space, coding)
  if (field === 'socket.owned') return or(space.bdd, zero, variable(space.bdd, codingOf(space.layout, 'socket.exists').bits.first))
  const gate = gateOf(field)
  const has = gate === undefined ? ONE : and(space.bdd, gateEdge(space, gate), field === 'ct.direction' ? notNew(space) : ONE)
  return or(space.bdd, and(space.bdd, has, proper), and(space.bdd, has ^ 1, zero))
}

/** The codes of which each stands for another value; a value's first code is its own. */
function properCodes(space: Space, coding: Coding): Edge {
  const { bdd } = space
  const { bits } = coding
  switch (coding.kind) {
    case 'number':
      return ONE
    case 'table':
      return inTable(bdd, bits, coding.values.map((value, code) => coding.values.indexOf(value) === code))
    case 'device':
      return inTable(bdd, bits, Array.from({ length: 1 << bits.width }, (_, code) => code < coding.devices.classes.length))
    case 'offset': {
      const later = { first: bits.first + 1, width: bits.width - 1 }
      const zero = underMask(bdd, later, (1n << BigInt(later.width)) - 1n, 0n)
      return makeNode(bdd, bits.first, zero, zero ^ 1)
    }
  }
}

function notNew(space: Space): Edge {
  const coding = codingOf(space.layout, 'ct.state')
  return coding.kind === 'table' ? inTable(space.bdd, coding.bits, coding.values.map(value => (Number(value) & CT_STATE.NEW) === 0)) : ONE
}
