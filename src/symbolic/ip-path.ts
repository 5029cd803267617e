/** The way of sets of IP packets through one host: in, through, out. The mirror of the simulator's ip-path.ts. */

import { ADDRESS_TYPE, CT_STATE, PACKET_TYPE } from '../meaning/fields.ts'
import { all, any, equals, not, onDevice, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import { joinClasses } from './packet-class.ts'
import type { Classes, PacketClass } from './packet-class.ts'
import { drawnWay, onWay, routeOutput } from './route-output.ts'
import type { Rewriting, Translation } from './rewriting.ts'
import { readThrough } from './read-through.ts'
import type { Run } from './run.ts'
import { runHook } from './run-hook.ts'
import { ALL_HOSTS, isMulticast } from './special-addresses.ts'
import type { InputWay } from './surroundings.ts'
import { adjustValue, keyOfValue, valuesEqual } from './value.ts'

const LOOPBACK_DEVICE = 'lo'
const isUnjoinedGroup = all([isMulticast('ip.dst'), not(equals('ip.dst', ALL_HOSTS))])
const isOnLoopback = onDevice('device.out', { name: LOOPBACK_DEVICE, prefix: false })
const isRefusedOnLoopback = all([isOnLoopback, equals('addressType.dst', ADDRESS_TYPE.UNICAST)])
const UNTRANSLATED: Translation = new Map()

/** Packets that arrive; `set` says on which devices; of known connections `translation` is what nat does to them. Their fates are noted in the run. */
export function receive(run: Run, set: PacketSet, translation: Translation = UNTRANSLATED): void {
  const rewriting = run.rewritings.with(startOf(run), { devices: { 'device.out': '' }, translation })
  receiveClasses(run, new Map([[rewriting, set]]))
}

/** Packets that this host makes. Their fates are noted in the run. */
export function sendLocal(run: Run, set: PacketSet, translation: Translation = UNTRANSLATED): void {
  const rewriting = run.rewritings.with(startOf(run), { devices: { 'device.in': '' }, translation })
  const routed = joinClasses(run.sets, routeOutput(run, { rewriting, set }))
  leave(run, runHook(run, 'OUTPUT', routed), 'sent')
}

/** Returns how packets are at first. As conntrack has not seen the packet: the state is INVALID until it has. */
export function startOf({ rewritings, surroundings }: Run): Rewriting {
  const values = new Map([['ct.state' as const, rewritings.constant('ct.state', CT_STATE.INVALID)]])
  const bridges = { 'bridge.in': '', 'bridge.out': '' }
  if (surroundings.kind === 'free') return rewritings.with(rewritings.none, { values })
  return rewritings.with(rewritings.none, { values: new Map([...values, ['bridge.forwarded' as const, rewritings.constant('bridge.forwarded', 0)]]), devices: bridges })
}

/** Packets that come in, as their rewriting says where; `kept`: over lo, where what keeps its destination keeps the route that it was sent or forwarded by. */
export function receiveClasses(run: Run, entering: Classes, kept?: 'sent' | 'forward'): void {
  const after = [...runHook(run, 'PREROUTING', entering)].map(([rewriting, set]): PacketClass => ({ rewriting, set }))
  const { unchanged, changed } = kept ? byDestination(run, [...entering.keys()], after) : { unchanged: [], changed: after }
  const { delivered, forwarded } = routeClasses(run, changed)
  if (kept !== 'forward') return goOn(run, { delivered: [...takenFromLoopback(run, unchanged), ...delivered], forwarded })
  const again = unchanged.map(({ rewriting, set }) => ({ rewriting: run.rewritings.with(rewriting, { devices: { 'device.out': LOOPBACK_DEVICE } }), set }))
  goOn(run, { delivered, forwarded: [...again, ...forwarded] })
}

/** Returns what is taken of packets that were sent over lo. The mirror of isTakenFromLoopback(). */
function takenFromLoopback(run: Run, list: readonly PacketClass[]): readonly PacketClass[] {
  return run.family === 'ipv6' ? list : list.map(packets => withoutRefused(run, packets, isUnjoinedGroup, 'not-for-this-host'))
}

/** Returns the packets without those that the kernel ends. */
function withoutRefused(run: Run, { rewriting, set }: PacketClass, refused: Predicate, reason: string): PacketClass {
  const ended = run.sets.intersect(set, run.setOf(refused, rewriting))
  if (ended !== run.sets.none) run.end('drop', { kind: 'kernel', reason }, { rewriting, set: ended })
  return { rewriting, set: run.sets.subtract(set, ended) }
}

/** Packets behind PREROUTING by where they go. */
export interface Routed {
  readonly delivered: readonly PacketClass[]
  readonly forwarded: readonly PacketClass[]
}

/** Returns the packets by where they go; those that the kernel refuses end. */
export function routeClasses(run: Run, list: readonly PacketClass[]): Routed {
  const delivered: PacketClass[] = []
  const forwarded: PacketClass[] = []
  for (const packets of list) takeWays(run, packets, delivered, forwarded)
  return { delivered, forwarded }
}

/** What comes after routing. */
export function goOn(run: Run, { delivered, forwarded }: Routed): void {
  deliver(run, joinClasses(run.sets, delivered))
  forward(run, joinClasses(run.sets, forwarded))
}

/** Returns packets by whether they have the destination that they had before. */
export function byDestination(run: Run, before: readonly Rewriting[], after: readonly PacketClass[]): { readonly unchanged: readonly PacketClass[]; readonly changed: readonly PacketClass[] } {
  const { sets, rewritings } = run
  const destinations = [...new Map(before.map(rewriting => rewritings.valueOf(rewriting, 'ip.dst')).map(value => [keyOfValue(value), value])).values()]
  const parts = after.map(({ rewriting, set }) => {
    const now = rewritings.valueOf(rewriting, 'ip.dst')
    const same = sets.intersect(set, sets.setOf(any(destinations.map(value => valuesEqual(value, now)))))
    return { rewriting, same, others: sets.subtract(set, same) }
  })
  const withPackets = ({ set }: PacketClass): boolean => set !== sets.none
  return {
    unchanged: parts.map(({ rewriting, same }) => ({ rewriting, set: same })).filter(withPackets),
    changed: parts.map(({ rewriting, others }) => ({ rewriting, set: others })).filter(withPackets),
  }
}

function takeWays(run: Run, { rewriting, set }: PacketClass, delivered: PacketClass[], forwarded: PacketClass[]): void {
  const { sets } = run
  let rest = set
  for (const { when, way } of waysFrom(run, rewriting)) {
    if (rest === sets.none) return
    const free = way.kind === 'refused' ? rewriting : run.rewritings.with(rewriting, { devices: { 'device.out': undefined } })
    const holds = run.setOf(when, free)
    const here = sets.intersect(rest, holds)
    if (here === sets.none) continue
    rest = sets.subtract(rest, holds)
    if (way.kind === 'refused') run.end('drop', { kind: 'kernel', reason: way.reason }, { rewriting, set: here })
    else if (way.kind === 'local') delivered.push({ rewriting, set: here })
    else if (way.kind === 'drawn') forwarded.push({ rewriting: run.rewritings.with(free, { drawnWay: drawnWay(run, rewriting, way) }), set: here })
    else forwarded.push(onWay(run, { rewriting: free, set: here }, way))
  }
}

const waysOfDevices = new WeakMap<readonly InputWay[], Map<string, readonly InputWay[]>>()

/** Where packets may go that came in as their rewriting says: what holds on other devices only is left out. */
function waysFrom({ surroundings, rewritings }: Run, rewriting: Rewriting): readonly InputWay[] {
  const ways = rewriting.values.has('ip.dst') ? surroundings.rewrittenWays : surroundings.inputWays
  const device = rewriting.devices['device.in']
  if (device === undefined) return ways
  const known = waysOfDevices.get(ways) ?? new Map<string, readonly InputWay[]>()
  waysOfDevices.set(ways, known)
  const found = known.get(device)
  if (found) return found
  const arrived = rewritings.with(rewritings.none, { devices: { 'device.in': device } })
  const here = ways.map(({ when, way }) => ({ when: readThrough(surroundings.ground(when), arrived), way })).filter(({ when }) => when.kind !== 'never')
  known.set(device, here)
  return here
}

/** What the kernel asks before a packet is forwarded. */
const REFUSALS: readonly { readonly lets: Predicate; readonly reason: string }[] = [
  { lets: equals('packetType', PACKET_TYPE.unicast), reason: 'not-unicast-frame' },
  { lets: within('ip.ttl', 2, 255), reason: 'ttl-exceeded' },
]

function forward(run: Run, entering: Classes): void {
  const { sets, rewritings } = run
  const going = [...entering].flatMap(([rewriting, set]): PacketClass[] => {
    let left = set
    for (const { lets, reason } of REFUSALS) {
      const passing = sets.intersect(left, run.setOf(lets, rewriting))
      const refused = sets.subtract(left, passing)
      if (refused !== sets.none) run.end('drop', { kind: 'kernel', reason }, { rewriting, set: refused })
      left = passing
    }
    const ttl = adjustValue(rewritings.valueOf(rewriting, 'ip.ttl'), -1)
    return [{ rewriting: rewritings.with(rewriting, { values: new Map([['ip.ttl' as const, ttl]]) }), set: left }]
  })
  leave(run, runHook(run, 'FORWARD', joinClasses(sets, going)), 'forward')
}

/** POSTROUTING and out; over lo it comes in again. */
function leave(run: Run, entering: Classes, kind: 'forward' | 'sent'): void {
  const { sets, rewritings } = run
  const rerouted = [...entering].map(([rewriting, set]): PacketClass => {
    if (rewriting.nextDevice === undefined) return { rewriting, set }
    const { nextDevice } = rewriting
    return { rewriting: rewritings.with(rewriting, { nextDevice: undefined, ...(typeof nextDevice === 'string' ? { devices: { 'device.out': nextDevice } } : { devices: { 'device.out': undefined }, drawnWay: nextDevice }) }), set }
  })
  const leaving = run.family === 'ipv4' ? rerouted : rerouted.map(packets => withoutRefused(run, packets, isRefusedOnLoopback, 'unreachable-route'))
  const looped: PacketClass[] = []
  for (const [rewriting, set] of runHook(run, 'POSTROUTING', joinClasses(sets, leaving))) {
    const overLoopback = sets.intersect(set, run.setOf(isOnLoopback, rewriting))
    const out = sets.subtract(set, overLoopback)
    if (out !== sets.none) run.end(kind, undefined, { rewriting, set: out })
    looped.push({ rewriting: rewritings.with(rewriting, { devices: { 'device.in': LOOPBACK_DEVICE, 'device.out': '' }, drawnWay: undefined }), set: overLoopback })
  }
  const again = joinClasses(sets, kind === 'sent' ? looped : looped.map(packets => withoutCircling(run, packets)))
  if (again.size > 0) receiveClasses(run, again, kind)
}

/** Returns what was not forwarded over lo before as it is now: the rest does so without end, for a rule gives back what each time takes from the ttl. */
function withoutCircling(run: Run, { rewriting, set }: PacketClass): PacketClass {
  const { sets, looped } = run
  const before = looped.get(rewriting.key) ?? sets.none
  looped.set(rewriting.key, sets.union(before, set))
  const circling = sets.intersect(set, before)
  if (circling !== sets.none) run.end('drop', { kind: 'kernel', reason: 'endless-loop' }, { rewriting, set: circling })
  return { rewriting, set: sets.subtract(set, circling) }
}

function deliver(run: Run, entering: Classes): void {
  const { sets } = run
  for (const [rewriting, set] of runHook(run, 'INPUT', entering)) {
    const taken = sets.intersect(set, run.setOf(run.surroundings.isTaken, rewriting))
    if (taken !== sets.none) run.end('local', undefined, { rewriting, set: taken })
    if (taken !== set) run.end('reject', { kind: 'kernel', reason: 'no-listener' }, { rewriting, set: sets.subtract(set, taken) })
  }
}
