/** The ways of frames through a topology, as the simulator sends them: asks for the next hop, then follows a frame bridge by bridge. */

import type { Backend } from '../ir/hooks.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import { isGroupMac, isOwnMac, portsFor, transmit } from '../simulate/frames.ts'
import type { Arrival, Frame } from '../simulate/frames.ts'
import { crossBridge, findNeighbour } from '../simulate/neighbours.ts'
import type { Neighbour } from '../simulate/neighbours.ts'
import { makeWorld, resetWorld } from '../simulate/world.ts'
import type { Host, World } from '../simulate/world.ts'
import { keyOfQuestion } from '../symbolic/frame-ways.ts'
import type { BridgeCrossing, FindFrameWays, FrameAnswer, FrameQuestion, FrameWay, NeighbourQuestion } from '../symbolic/frame-ways.ts'
import type { Topology } from '../topology/topology.ts'

/** Whom a frame is addressed to that goes to somebody outside the described world. */
const STRANGER_MAC = '02ffffffffff'

/** More bridges than any frame crosses that does not circle. */
const MOST_CROSSINGS = 32

/** Returns the answers for a topology, each found in a world that has asked nothing but what the question says. The rules may stop the questions of IPv6. */
export function frameWaysOf(topology: Topology, rulesetsOf: ReadonlyMap<string, readonly Ruleset[]>, backend: Backend): FindFrameWays {
  const world = makeWorld({ topology, rulesets: [], rulesetsOf, backend })
  const known = new Map<string, FrameAnswer>()
  return question => {
    const key = [question, ...question.asked].map(keyOfQuestion).join(', ')
    const found = known.get(key) ?? answerIn(world, question)
    known.set(key, found)
    return found
  }
}

function answerIn(world: World, question: FrameQuestion): FrameAnswer {
  const { namespace, device, nextHop } = question
  const host = world.hosts.get(namespace)
  if (!host) return { kind: 'nobody' }
  resetWorld(world)
  for (const before of question.asked) neighbourOf(world, before)
  const neighbour = neighbourOf(world, question)
  if (neighbour.kind === 'none') return { kind: 'nobody' }
  if (neighbour.kind === 'mac' && isGroupMac(neighbour.mac)) return { kind: 'group' }
  const macDestination = neighbour.kind === 'mac' ? neighbour.mac : STRANGER_MAC
  const out = host.devices.get(device)
  const told = host.namespace.neighbours.find(one => one.device === device && one.address === nextHop)?.port
  const ports = out?.kind !== 'bridge' ? [device] : neighbour.kind !== 'mac' && told !== undefined ? [told] : portsFor(host, out, macDestination)
  const frame: Frame = { macSource: out?.mac ?? STRANGER_MAC, macDestination, tags: [] }
  const ways = ports.flatMap(port => follow(world, host, port, frame, []).map((way): FrameWay => ({ port, macSource: frame.macSource, ...way })))
  const taken = ways.filter(({ end }) => end.kind === 'taken')
  const others = taken.length > 0 ? taken : ways
  return { kind: 'ways', ways: others.length > 0 ? others : [{ port: device, macSource: frame.macSource, crossings: [], end: { kind: 'lost' } }] }
}

function neighbourOf(world: World, { namespace, device, nextHop, source }: NeighbourQuestion): Neighbour {
  const host = world.hosts.get(namespace)
  return host && world.links ? findNeighbour(world, host, { device, nextHop, source: source ?? (typeof nextHop === 'number' ? 0 : 0n) }) : { kind: 'outside' }
}

type RestOfWay = Pick<FrameWay, 'crossings' | 'end'>

function follow(world: World, host: Host, port: string, frame: Frame, crossings: readonly BridgeCrossing[]): readonly RestOfWay[] {
  const sent = transmit(world, host, port, frame)
  return [
    ...sent.arrivals.flatMap(arrival => arrive(world, arrival, crossings)),
    ...sent.leaves.map(({ namespace, device }): RestOfWay => ({ crossings, end: { kind: 'leaves', namespace, device } })),
  ]
}

function arrive(world: World, arrival: Arrival, crossings: readonly BridgeCrossing[]): readonly RestOfWay[] {
  const { host, device, frame } = arrival
  const namespace = host.namespace.name
  const bridge = device.master === undefined ? undefined : host.devices.get(device.master)
  if (!bridge) return device.mac === frame.macDestination ? [{ crossings, end: { kind: 'taken', namespace, device: device.name } }] : []
  const isTagged = frame.tags.length > 0
  if (bridge.up && !isTagged && isOwnMac(host, bridge, frame.macDestination)) return [{ crossings, end: { kind: 'taken', namespace, device: bridge.name, port: device.name } }]
  if (crossings.length >= MOST_CROSSINGS) return []
  return crossBridge(arrival, bridge).ports.flatMap(outPort => follow(world, host, outPort, frame, [...crossings, { namespace, bridge: bridge.name, inPort: device.name, outPort, isTagged }]))
}
