/**
 * Nat of packets that come to a host again: a connection that they began there before may have the tuple that the new one would get. The
 * mirror of the simulator's isTaken() and mappingOfSource() for the packets' own connections; no others are there.
 */

import type { Effect } from '../meaning/effect.ts'
import { all, any, equals, not } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { headerTuple, tuplesEqual } from './connection-tuples.ts'
import type { EffectResult } from './effect-result.ts'
import { hasPorts } from './nat-ports.ts'
import type { Side } from './nat-ports.ts'
import type { PacketClass } from './packet-class.ts'
import type { Visit } from './rewriting.ts'
import type { Run } from './run.ts'
import { keyOfValue, valuesEqual } from './value.ts'

type NatPorts = Extract<Effect, { kind: 'nat' }>['ports']

/** What is said of packets whose port the kernel draws. */
const DRAWN_PORT = 'ports that the kernel draws since an earlier connection of the same packet has the port that the rules give'

const isIcmp: Predicate = any([equals('ip.protocol', PROTOCOL.icmp), equals('ip.protocol', PROTOCOL.icmpv6)])

/**
 * Returns what becomes of packets to which nat gave a tuple. Kernel: where it is taken the port is drawn anew; a rule that leaves no choice, and a protocol
 * without ports, get it nevertheless, and the packet is dropped where the connection would be confirmed.
 */
export function withoutTaken(run: Run, side: Side, ports: NatPorts, packets: PacketClass): readonly EffectResult[] {
  const { sets } = run
  const hasChoice = ports === undefined || ports.low !== ports.high
  const visits = side === 'source' || (ports !== undefined && hasChoice) ? visitsHere(run, packets) : []
  if (visits.length === 0) return [{ kind: 'accept', packets }]
  const now = headerTuple(run.rewritings, packets.rewriting)
  const same = sets.setOf(any(visits.map(({ translated }) => tuplesEqual(now, translated))))
  const taken = sets.subtract(sets.intersect(packets.set, same), run.setOf(isIcmp, packets.rewriting))
  if (taken === sets.none) return [{ kind: 'accept', packets }]
  const drawn = hasChoice ? sets.intersect(taken, run.setOf(hasPorts, packets.rewriting)) : sets.none
  run.leaveOpen(DRAWN_PORT, drawn)
  const results: readonly EffectResult[] = [
    { kind: 'accept', packets: { ...packets, set: sets.subtract(packets.set, taken) } },
    { kind: 'drop', reason: 'confirm-clash', packets: { ...packets, set: sets.subtract(taken, drawn) } },
  ]
  return results.filter(({ packets: { set } }) => set !== sets.none)
}

/** Returns the packets whose source is not mapped as an earlier connection of theirs was; of the others it is not known which port they get. */
export function withoutMapped(run: Run, packets: PacketClass): PacketClass {
  const { sets } = run
  const now = headerTuple(run.rewritings, packets.rewriting)
  const changed = visitsHere(run, packets).filter(({ original, translated }) => keyOfValue(original['l4.sport']) !== keyOfValue(translated['l4.sport']))
  if (changed.length === 0) return packets
  const mapped = sets.intersect(packets.set, sets.setOf(any(changed.map(({ original, translated }) => all([
    valuesEqual(now['ip.src'], original['ip.src']), valuesEqual(now['l4.sport'], original['l4.sport']), not(valuesEqual(original['l4.sport'], translated['l4.sport'])),
  ])))))
  run.leaveOpen('ports of packets whose source nat gave another port when they were on the host before', mapped)
  return { ...packets, set: sets.subtract(packets.set, mapped) }
}

function visitsHere({ namespace }: Run, { rewriting }: PacketClass): readonly Visit[] {
  return rewriting.visits.filter(visit => visit.namespace === namespace)
}
