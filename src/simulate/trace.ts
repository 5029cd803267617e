/** Traces one packet through a world. */

import { invariant } from '../diagnostics/diagnostic.ts'
import type { Packet } from '../packet/packet.ts'
import type { Probe } from '../packet/probe.ts'
import { receiveOnBridge } from './bridge-path.ts'
import { learnPort } from './frames.ts'
import { makeFlight } from './flight.ts'
import type { Flight } from './flight.ts'
import { receive, sendLocal } from './ip-path.ts'
import { openSocket } from './sockets.ts'
import type { Outcome, Trace, TraceEvent } from './trace-events.ts'
import type { Host, World } from './world.ts'

/** What a run should do beside finding the outcome. */
export interface TraceOptions {
  /** `none` is fastest; `matches` tells all but the rules that do not match; `all` tells these too. Default: matches. */
  readonly record?: 'none' | 'matches' | 'all'
  /** Values of free variables; one that is not given is assumed not to match. */
  readonly assume?: ReadonlyMap<string, boolean>
}

/** Sends a packet into the world and returns its way. Changes the world: connections, limits and ipsets remember it. */
export function trace(world: World, probe: Probe, options: TraceOptions = {}): Trace {
  const host = hostOf(world, probe)
  world.moment += 1
  const events: TraceEvent[] | undefined = options.record === 'none' ? undefined : []
  const record = events && ((event: TraceEvent) => void events.push(event))
  const flight = makeFlight({
    world,
    host,
    packet: probe.packet,
    isLocal: probe.inDevice === undefined,
    boundTo: probe.outDevice,
    record,
    recordsMisses: options.record === 'all',
    decisions: options.assume && new Map(options.assume),
    send: sendAnswer,
  })
  const outcome = probe.inDevice === undefined ? make(flight) : arrive(flight, probe.inDevice, probe.macDestination)
  return { events: events ?? NO_EVENTS, outcome, way: flight.way, assumed: flight.assumed, answers: flight.answers }
}

const NO_EVENTS: readonly TraceEvent[] = []

function sendAnswer(answer: Flight): Outcome {
  return sendLocal(answer, { keepsSource: true })
}

function hostOf(world: World, probe: Probe): Host {
  const host = probe.namespace === undefined ? world.hosts.values().next().value : world.hosts.get(probe.namespace)
  invariant(host, 'a probe starts in a namespace of its world')
  return host
}

function make(flight: Flight): Outcome {
  const packet: Packet = flight.packet.socket ? flight.packet : { ...flight.packet, socket: { uid: 0, gid: 0 } }
  flight.packet = packet
  if (flight.world.links || flight.host.namespace.sockets) openSocket(flight.host, packet)
  flight.record?.({ kind: 'make', namespace: flight.host.namespace.name, packet })
  return sendLocal(flight, { keepsSource: false })
}

/** A packet on a bridge port counts as one on the bridge. */
function arrive(flight: Flight, device: string, macDestination: string | undefined): Outcome {
  const { host } = flight
  const master = host.devices.get(device)?.master
  const bridge = master === undefined ? undefined : host.devices.get(master)
  flight.inDevice = bridge?.name ?? device
  flight.macDestination = macDestination
  if (bridge && flight.world.links && flight.packet.macSource !== undefined) learnPort(host, bridge.name, flight.packet.macSource, device)
  flight.record?.({ kind: 'arrive', namespace: host.namespace.name, device: flight.inDevice, ...(bridge ? { port: device } : {}), packet: flight.packet })
  if (!host.devices.get(flight.inDevice)?.up) return { kind: 'drop', by: { kind: 'kernel', reason: 'no-device' }, packet: flight.packet }
  if (bridge) return receiveOnBridge(flight, device, bridge)
  return isForOthers(flight) ? { kind: 'drop', by: { kind: 'kernel', reason: 'not-for-this-host' }, packet: flight.packet } : receive(flight)
}

/** Source: net/ethernet/eth.c eth_type_trans(), net/ipv4/ip_input.c ip_rcv_core() PACKET_OTHERHOST. */
function isForOthers({ host, inDevice, packet, macDestination }: Flight): boolean {
  const own = host.devices.get(inDevice)?.mac
  return packet.packetType === 'unicast' && macDestination !== undefined && own !== undefined && macDestination !== own
}
