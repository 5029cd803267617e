/** A packet on its way through a host: what an sk_buff is to the kernel. It is what predicates are asked about. */

import { CT_STATE, CT_STATUS } from '../meaning/fields.ts'
import type { ConnectionView, ConnectionWatch, ReversePath, Subject, Ternary } from '../meaning/subject.ts'
import type { Address } from '../net/address.ts'
import type { Packet } from '../packet/packet.ts'
import { addressType } from '../topology/fib.ts'
import type { RouteDecision } from '../topology/fib.ts'
import { viewOf, watchConnection } from './connection.ts'
import type { Connection, Zone } from './connection.ts'
import { matchesIpset } from './ipsets.ts'
import { hasReversePath } from './reverse-path.ts'
import type { Assumption, Outcome, Trace, TraceEvent, Way } from './trace-events.ts'
import { tupleOf } from './tuple.ts'
import type { Direction } from './tuple.ts'
import type { Host, World } from './world.ts'

/** How the packet stands to its connection. Source: enum ip_conntrack_info. */
export type ConnectionInfo = 'new' | 'established' | 'related'

/** A packet on its way; everything here changes as it goes. */
export interface Flight extends Subject {
  readonly world: World
  readonly host: Host
  packet: Packet
  inDevice: string
  outDevice: string
  bridgeIn: string
  bridgeOut: string
  bridged: boolean
  /** Whom the frame that it came in was addressed to, as 12 hex digits. */
  macDestination: string | undefined
  ctState: number
  connection: ConnectionView | undefined
  /** The connection behind `connection`. */
  tracked: Connection | undefined
  direction: Direction
  info: ConnectionInfo
  untracked: boolean
  /** Made because of an untracked packet: NOTRACK and CT have no effect on it. Source: nf_conntrack_attach(), xt_CT.c `skb->_nfct != 0`. */
  isTrackingFixed: boolean
  /** What a CT rule asked for before conntrack saw the packet. */
  zone: Zone | undefined
  route: RouteDecision | undefined
  /** The packet was made here. */
  readonly isLocal: boolean
  /** The device that the socket which made it is bound to. */
  readonly boundTo: string | undefined
  /** How often it came in again over lo. */
  loops: number
  /** Who listens, if anybody. */
  readonly record: ((event: TraceEvent) => void) | undefined
  readonly recordsMisses: boolean
  /** Values of free variables: those given, and those assumed so far. */
  decisions: Map<string, boolean> | undefined
  readonly way: Way
  readonly assumed: Assumption[]
  readonly answers: Trace[]
  readonly send: (answer: Flight) => Outcome
}

/** What a flight starts with. */
export interface FlightStart {
  readonly world: World
  readonly host: Host
  readonly packet: Packet
  readonly isLocal: boolean
  readonly boundTo?: string | undefined
  readonly record: ((event: TraceEvent) => void) | undefined
  readonly recordsMisses: boolean
  readonly decisions: Map<string, boolean> | undefined
  /** Sends a packet that the kernel makes because of this one on its way. */
  readonly send: (answer: Flight) => Outcome
}

/** Returns a flight at its start: on no device, not seen by conntrack. */
export function makeFlight(start: FlightStart): Flight {
  return {
    world: start.world,
    host: start.host,
    packet: start.packet,
    isLocal: start.isLocal,
    boundTo: start.boundTo,
    loops: 0,
    record: start.record,
    recordsMisses: start.recordsMisses,
    decisions: start.decisions,
    send: start.send,
    inDevice: '',
    outDevice: '',
    bridgeIn: '',
    bridgeOut: '',
    bridged: false,
    macDestination: undefined,
    ctState: CT_STATE.INVALID,
    connection: undefined,
    tracked: undefined,
    direction: 0,
    info: 'new',
    untracked: false,
    isTrackingFixed: false,
    zone: undefined,
    route: undefined,
    way: { path: [], states: [], copies: [] },
    assumed: [],
    answers: [],
    connectionWatch: QUESTIONS.connectionWatch,
    addressType: QUESTIONS.addressType,
    inIpset: QUESTIONS.inIpset,
    routeRealm: QUESTIONS.routeRealm,
    deviceGroup: QUESTIONS.deviceGroup,
    hasReversePath: QUESTIONS.hasReversePath,
    decide: QUESTIONS.decide,
  }
}

/** What predicates ask of any flight: one set of functions for all of them. */
const QUESTIONS = {
  connectionWatch(this: Flight): ConnectionWatch {
    return watchConnection(this.host.connections, { tracked: this.tracked, tuple: tupleOf(this.packet), zone: this.zone }, this.world)
  },
  addressType(this: Flight, address: Address, where: 'any' | 'in' | 'out'): number {
    return addressType(this.host.fib, address, where === 'any' ? undefined : where === 'in' ? this.inDevice : this.outDevice)
  },
  inIpset(this: Flight, name: string, directions: readonly ('src' | 'dst')[], flags: readonly string[]): Ternary {
    return matchesIpset(this, this.host.ipsets, name, directions, flags)
  },
  routeRealm(this: Flight): number {
    return this.route?.realm ?? 0
  },
  deviceGroup(this: Flight, device: string): number {
    return this.host.devices.get(device)?.group ?? 0
  },
  hasReversePath(this: Flight, how: ReversePath): boolean {
    return hasReversePath(this.host, this, how)
  },
  decide(this: Flight, key: string): Ternary {
    return this.decisions?.get(key)
  },
}

/** Returns a copy of the packet at this point of its way: it shares connection, way, assumptions and answers. */
export function copyFlight(flight: Flight, record: Flight['record']): Flight {
  const { inDevice, outDevice, bridgeIn, bridgeOut, bridged, macDestination, ctState, connection, tracked, direction, info, untracked, isTrackingFixed, zone, route, loops, way, assumed, answers } = flight
  return Object.assign(makeFlight({ ...flight, record }), {
    inDevice, outDevice, bridgeIn, bridgeOut, bridged, macDestination, ctState, connection, tracked, direction, info, untracked, isTrackingFixed, zone, route, loops, way, assumed, answers,
  })
}

/** Gives the packet to a connection. */
export function attachConnection(flight: Flight, connection: Connection, direction: Direction, info: ConnectionInfo): void {
  flight.tracked = connection
  flight.direction = direction
  flight.info = info
  flight.untracked = false
  flight.connection = viewOf(connection, direction, flight.world)
  refreshState(flight)
}

/** Takes the packet from its connection: it is invalid, or untracked. */
export function detachConnection(flight: Flight, untracked: boolean): void {
  flight.tracked = undefined
  flight.connection = undefined
  flight.untracked = untracked
  refreshState(flight)
}

/** Brings `ctState` up to date. Source: net/netfilter/xt_conntrack.c conntrack_mt(). */
export function refreshState(flight: Flight): void {
  const { tracked } = flight
  if (!tracked) {
    flight.ctState = flight.untracked ? CT_STATE.UNTRACKED : CT_STATE.INVALID
    return
  }
  const base = flight.info === 'new' ? CT_STATE.NEW : flight.info === 'related' ? CT_STATE.RELATED : CT_STATE.ESTABLISHED
  flight.ctState = base | (tracked.status & CT_STATUS.SRC_NAT ? CT_STATE.SNAT : 0) | (tracked.status & CT_STATUS.DST_NAT ? CT_STATE.DNAT : 0)
}
