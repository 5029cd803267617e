/** The packets of a service that go one way, and those of them that get through. */

import type { Backend, Hook } from '../ir/hooks.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import { ADDRESS_TYPE } from '../meaning/fields.ts'
import { all, always, equals, not, onDevice } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { Fate } from '../symbolic/fate.ts'
import { unionOf } from '../symbolic/packet-class.ts'
import type { FreeVariable } from '../symbolic/prepare-rules.ts'
import { makeSpace, reachableSets, startSet } from '../symbolic/reachable-sets.ts'
import type { Space } from '../symbolic/reachable-sets.ts'
import type { Ipset, Namespace } from '../topology/topology.ts'
import type { Service } from './matrix-service.ts'
import { gotThrough, partLeavingBy } from './outcomes.ts'
import { isConsistent, usualPacket } from './plain-view.ts'

/** Which way packets go: through the host, to it, from it, or any way that those which arrive may go. */
export type Way = Extract<Hook, 'FORWARD' | 'INPUT' | 'OUTPUT'> | 'any'

/** What is asked of which ruleset. Without a namespace packets may arrive and leave by any device. */
export interface MatrixOptions {
  readonly ruleset: Ruleset
  readonly service: Service
  /** Default: any way in a namespace, else the way for which there are rules. */
  readonly way?: Way
  readonly namespace?: Namespace
  /** Kernel sets whose content is known, where no namespace has them. */
  readonly ipsets?: readonly Ipset[]
  readonly backend?: Backend
  /** Only what arrives on this device, leaves by that one. */
  readonly inDevice?: string
  readonly outDevice?: string
  /** What else holds of the packets. */
  readonly when?: Predicate
  readonly nodeLimit?: number
}

/** What a run found about a service: the packets that go the way in question, and those of them that get through. */
export interface Passage {
  readonly space: Space
  readonly going: PacketSet
  readonly through: PacketSet
  /** What becomes of those that get through. */
  readonly fates: readonly Fate[]
  readonly variables: ReadonlyMap<string, FreeVariable>
  readonly notes: readonly string[]
}

/** Returns the way that a question without one is about: a host that has rules for what it forwards is a router. */
export function usualWay({ ruleset, namespace }: MatrixOptions): Way {
  if (namespace) return 'any'
  const chain = ruleset.tables.find(({ name }) => name === 'filter')?.chains.find(({ hook }) => hook === 'FORWARD')
  return (chain?.rules.length ?? 0) > 0 ? 'FORWARD' : 'INPUT'
}

/** Runs the rules on the packets of a service. */
export function passageOf({ ruleset, service, namespace, ipsets = [], backend = 'legacy', inDevice, outDevice, when = always, nodeLimit }: MatrixOptions, way: Way): Passage {
  const named = [inDevice, outDevice].filter(name => name !== undefined)
  const space = makeSpace({ family: ruleset.family, rulesets: [ruleset], backend, named, ipsets, ...(namespace ? { namespace } : {}), ...(nodeLimit === undefined ? {} : { nodeLimit }) })
  const { sets } = space
  const start = way === 'OUTPUT' ? 'make' : 'arrive'
  const arrivesOn = inDevice === undefined ? always : onDevice('device.in', { name: inDevice, prefix: false })
  const asked = sets.setOf(all([service.when, when, arrivesOn, usualPacket(ruleset.family, 'new'), equals('mark', 0), equals('ip.tos', 0), namespace ? always : freeWay(way, outDevice)]))
  const { fates, variables, notes } = reachableSets(space, ruleset, { start, within: sets.intersect(startSet(space, start, 'new'), asked) })
  const onWay = fates.filter(fate => goesThatWay(fate, way)).map(fate => (outDevice !== undefined && gotThrough(fate.kind) ? { ...fate, set: fate.kind === 'local' ? sets.none : partLeavingBy(sets, fate, outDevice) } : fate))
  const through = onWay.filter(({ kind }) => gotThrough(kind))
  return { space, variables, notes, fates: through, going: unionOf(sets, onWay.map(({ set }) => set)), through: unionOf(sets, through.map(({ set }) => set)) }
}

/** Where nothing is known of the host, packets go the way that the question is about: from host to host, or from this one to others. */
function freeWay(way: Way, outDevice: string | undefined): Predicate {
  const leavesBy = (name: string): Predicate => onDevice('device.out', { name, prefix: false })
  const onWay = way === 'FORWARD' ? not(leavesBy('')) : way === 'INPUT' ? leavesBy('') : way === 'OUTPUT' ? not(leavesBy('lo')) : always
  const source = equals('addressType.src', way === 'OUTPUT' ? ADDRESS_TYPE.LOCAL : ADDRESS_TYPE.UNICAST)
  return all([onWay, outDevice === undefined ? always : leavesBy(outDevice), source, isConsistent])
}

/** What the kernel asks of packets that it forwards only. */
const FORWARD_REASONS = ['ttl-exceeded', 'not-unicast-frame']

/** Packets that end before the host knows where they go are on every way. */
function goesThatWay({ kind, by }: Fate, way: Way): boolean {
  if (way !== 'FORWARD' && way !== 'INPUT') return true
  const isForwarded = kind === 'forward' || (by?.kind === 'kernel' ? FORWARD_REASONS.includes(by.reason) || by.hook === 'FORWARD' || by.hook === 'POSTROUTING' : by?.hook === 'FORWARD' || by?.hook === 'POSTROUTING')
  const isDelivered = kind === 'local' || by?.hook === 'INPUT'
  return way === 'FORWARD' ? !isDelivered : !isForwarded
}
