/** Who gets packets that leave a host: they are divided by their next hop. The mirror of the simulator's neighbours.ts. */

import { equals } from '../meaning/predicate.ts'
import type { Address, Prefix } from '../net/address.ts'
import { familyOf } from '../net/address.ts'
import { casesOfAddress, inCase } from './address-cases.ts'
import type { FindFrameWays, FrameAnswer } from './frame-ways.ts'
import type { PacketClass } from './packet-class.ts'
import { unionOf } from './packet-class.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { Run } from './run.ts'
import { constantOf } from './value.ts'

/** What the question about the next hop goes by. */
export interface NextHopQuestion {
  readonly namespace: string
  readonly device: string
  /** Own addresses of the namespace: it asks in the name of a packet that has one. */
  readonly own: readonly Address[]
  /** Where answers about addresses may change: the prefixes of all routes and neighbours of the world. */
  readonly borders: readonly Prefix[]
  readonly find: FindFrameWays
}

/** Packets that go the same way. */
export interface ToNextHop {
  readonly answer: FrameAnswer
  readonly packets: PacketClass
}

/** Returns the packets by the way that their frames take. */
export function toNextHops(run: Run, question: NextHopQuestion, { rewriting, set }: PacketClass): readonly ToNextHop[] {
  const { sets } = run
  const found = new Map<string, { readonly answer: FrameAnswer; readonly parts: PacketSet[] }>()
  const note = (answer: FrameAnswer, part: PacketSet): void => {
    const key = JSON.stringify(answer)
    const known = found.get(key)
    if (known) known.parts.push(part)
    else found.set(key, { answer, parts: [part] })
  }
  let rest = set
  for (const source of question.own) {
    const made = sets.intersect(rest, run.setOf(equals('ip.src', source), rewriting))
    if (made === sets.none) continue
    askAbout(run, question, { rewriting, set: made }, source, note)
    rest = sets.subtract(rest, made)
  }
  if (rest !== sets.none) askAbout(run, question, { rewriting, set: rest }, undefined, note)
  return [...found.values()].map(({ answer, parts }) => ({ answer, packets: { rewriting, set: unionOf(sets, parts) } }))
}

function askAbout(run: Run, { namespace, device, borders, find }: NextHopQuestion, { rewriting, set }: PacketClass, source: Address | undefined, note: (answer: FrameAnswer, part: PacketSet) => void): void {
  const { sets, family } = run
  const ask = (nextHop: Address): FrameAnswer => find({ namespace, device, nextHop, source })
  const constant = constantOf(run.rewritings.valueOf(rewriting, 'ip.dst'))
  const single = rewriting.gateway ?? (constant === undefined ? undefined : family === 'ipv4' ? Number(constant) : constant)
  if (single !== undefined) {
    note(ask(single), set)
    return
  }
  const near = borders.filter(({ address }) => familyOf(address) === family)
  let rest = set
  for (const piece of casesOfAddress(family, near, address => address, String)) {
    if (rest === sets.none) return
    const towards = run.setOf(inCase('ip.dst', piece), rewriting)
    const here = sets.intersect(rest, towards)
    if (here === sets.none) continue
    note(ask(piece.answer), here)
    rest = sets.subtract(rest, here)
  }
}
