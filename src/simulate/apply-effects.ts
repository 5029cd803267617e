/** Does what a target does to a packet. */

import { assertNever } from '../diagnostics/diagnostic.ts'
import { assignedValue } from '../meaning/effect.ts'
import type { AssignedField, Effect } from '../meaning/effect.ts'
import { CT_STATE, CT_STATUS } from '../meaning/fields.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { TCP_FLAG } from '../packet/packet.ts'
import type { Packet } from '../packet/packet.ts'
import { answerReject } from './answers.ts'
import { DEFAULT_ZONE } from './connection.ts'
import { detachConnection } from './flight.ts'
import type { Flight } from './flight.ts'
import { setUpNat } from './nat-rule.ts'
import { changeIpset } from './ipsets.ts'
import { withTranslatedPrefix } from './prefix-translation.ts'
import type { Change, RulePlace, RuleResult } from './trace-events.ts'
import type { EffectVerdict } from './verdict.ts'

const CONTINUE: EffectVerdict = { kind: 'continue' }

/** Applies the effects in order and returns the verdict; tells the rule's event after its rewrites. */
export function applyEffects(flight: Flight, place: RulePlace, effects: readonly Effect[]): EffectVerdict {
  const before = flight.packet
  const markBefore = flight.tracked?.mark
  let observed: string | undefined
  for (const effect of effects) {
    switch (effect.kind) {
      case 'verdict':
        tell(flight, place, { kind: effect.verdict }, observed)
        tellChanges(flight, place, before, markBefore)
        return { kind: effect.verdict }
      case 'reject':
        tell(flight, place, { kind: 'reject', with: effect.with }, observed)
        return { kind: answerReject(flight, place, effect.with) ? 'reject' : 'drop' }
      case 'nat':
        tell(flight, place, { kind: 'accept' }, observed)
        return setUpNat(flight, place, effect)
      case 'observe':
        observed = effect.words
        break
      case 'notModelled':
        flight.record?.(effect)
        break
      default:
        applyEffect(flight, effect)
    }
  }
  tell(flight, place, CONTINUE_RESULT, observed)
  tellChanges(flight, place, before, markBefore)
  return CONTINUE
}

const CONTINUE_RESULT: RuleResult = { kind: 'continue' }

function applyEffect(flight: Flight, effect: Exclude<Effect, { kind: 'verdict' | 'reject' | 'nat' | 'observe' | 'notModelled' }>): void {
  if ((effect.kind === 'untrack' || effect.kind === 'track') && (flight.tracked || flight.untracked || flight.zone || flight.isTrackingFixed)) return
  switch (effect.kind) {
    case 'assign':
      assign(flight, effect)
      return
    case 'adjust':
      flight.packet = { ...flight.packet, ttl: Math.min(255, Math.max(0, flight.packet.ttl + effect.by)) }
      return
    case 'untrack':
      detachConnection(flight, true)
      return
    case 'track':
      if (effect.zone !== undefined || effect.zoneFromMark) {
        flight.zone = { id: effect.zoneFromMark ? flight.packet.mark & 0xffff : (effect.zone ?? 0), direction: effect.zoneDirection ?? 'both' }
      } else {
        flight.zone = DEFAULT_ZONE
      }
      showTemplate(flight)
      if (effect.helper !== undefined) flight.record?.({ kind: 'notModelled', words: `the conntrack helper ${effect.helper}` })
      return
    case 'clampMss':
      flight.packet = clampMss(flight, effect.limit)
      return
    case 'stripOptions':
      flight.packet = stripOptions(flight.packet, effect.kinds)
      return
    case 'ipset':
      changeSet(flight, effect)
      return
    case 'translatePrefix':
      flight.packet = withTranslatedPrefix(flight.packet, effect)
      return
    default:
      assertNever(effect)
  }
}

/** Kernel: until conntrack has seen the packet, matches find the template that CT left there: a new connection of nobody. Source: xt_CT.c, xt_conntrack.c conntrack_mt(). */
function showTemplate(flight: Flight): void {
  const nobody = flight.packet.family === 'ipv4' ? 0 : 0n
  const tuple = { src: nobody, dst: nobody, sport: 0, dport: 0 }
  flight.ctState = CT_STATE.NEW
  flight.connection = { protocol: 0, original: tuple, reply: tuple, status: CT_STATUS.CONFIRMED, direction: 0, mark: 0, expires: 0 }
}

/** Kernel: without a connection CONNMARK does nothing at all, in either direction. Source: net/netfilter/xt_connmark.c connmark_tg_shift(). */
function assign(flight: Flight, effect: Extract<Effect, { kind: 'assign' }>): void {
  if ((effect.field === 'ct.mark' || effect.from?.field === 'ct.mark') && !flight.tracked) return
  const value = assignedValue(effect, readField(flight, effect.field), effect.from && readField(flight, effect.from.field))
  switch (effect.field) {
    case 'mark':
      if (flight.packet.mark !== value) flight.packet = { ...flight.packet, mark: value }
      return
    case 'ct.mark':
      if (flight.tracked) flight.tracked.mark = value
      return
    case 'ip.ttl':
      flight.packet = { ...flight.packet, ttl: value & 255 }
      return
    case 'ip.tos':
      flight.packet = { ...flight.packet, tos: value & 255 }
      return
    case 'tcp.flags':
      if (flight.packet.tcp) flight.packet = { ...flight.packet, tcp: { ...flight.packet.tcp, flags: value } }
      return
    case 'priority':
      flight.packet = { ...flight.packet, priority: value }
      return
    default:
      assertNever(effect.field)
  }
}

function readField(flight: Flight, field: AssignedField): number {
  switch (field) {
    case 'mark':
      return flight.packet.mark
    case 'ct.mark':
      return flight.tracked?.mark ?? 0
    case 'ip.ttl':
      return flight.packet.ttl
    case 'ip.tos':
      return flight.packet.tos
    case 'tcp.flags':
      return flight.packet.tcp?.flags ?? 0
    case 'priority':
      return flight.packet.priority
    default:
      return assertNever(field)
  }
}

/** Kernel: never raises; a SYN without the option gets one of at most 536 (IPv6: 1220). Source: net/netfilter/xt_TCPMSS.c tcpmss_mangle_packet(). */
function clampMss(flight: Flight, limit: number | 'pathMtu'): Packet {
  const { packet } = flight
  const { tcp } = packet
  if (!tcp || packet.protocol !== PROTOCOL.tcp || packet.fragmentOffset !== 0) return packet
  const headers = packet.family === 'ipv4' ? 40 : 60
  const wanted = limit === 'pathMtu' ? Math.min(mtuOf(flight, flight.outDevice), mtuOf(flight, flight.inDevice)) - headers : limit
  if (tcp.mss !== undefined) return tcp.mss <= wanted ? packet : { ...packet, tcp: { ...tcp, mss: wanted } }
  const hasPayload = packet.payload ? packet.payload.length > 0 : packet.length > headers
  if (!(tcp.flags & TCP_FLAG.SYN) || hasPayload) return packet
  const mss = Math.min(wanted, packet.family === 'ipv4' ? 536 : 1220)
  return { ...packet, length: packet.length + 4, tcp: { ...tcp, mss, optionKinds: [2, ...tcp.optionKinds] } }
}

function changeSet(flight: Flight, { change, name, directions }: Extract<Effect, { kind: 'ipset' }>): void {
  const { ipsets } = flight.host
  const set = ipsets.get(name)
  const changed = set && changeIpset(flight, set, directions, change)
  if (changed) ipsets.set(name, changed)
  else flight.record?.({ kind: 'notModelled', words: `the change to ipset ${name}` })
}

/** Source: net/netfilter/xt_TCPOPTSTRIP.c tcpoptstrip_mangle_packet(). */
function stripOptions(packet: Packet, kinds: readonly number[]): Packet {
  const { tcp } = packet
  if (!tcp || packet.fragmentOffset !== 0 || !tcp.optionKinds.some(kind => kinds.includes(kind))) return packet
  const { mss, ...others } = tcp
  return { ...packet, tcp: { ...others, optionKinds: tcp.optionKinds.filter(kind => !kinds.includes(kind)), ...(mss === undefined || kinds.includes(2) ? {} : { mss }) } }
}

function mtuOf(flight: Flight, device: string): number {
  return flight.host.devices.get(device)?.mtu ?? 1500
}

function tell(flight: Flight, place: RulePlace, result: RuleResult, observed: string | undefined): void {
  flight.record?.(observed === undefined ? { kind: 'rule', place, result } : { kind: 'rule', place, result, observed })
}

function tellChanges(flight: Flight, place: RulePlace, before: Packet, markBefore: number | undefined): void {
  if (!flight.record) return
  const { packet } = flight
  const markAfter = flight.tracked?.mark
  const changes: Change[] = []
  if (packet.src !== before.src) changes.push({ field: 'ip.src', before: before.src, after: packet.src })
  if (packet.dst !== before.dst) changes.push({ field: 'ip.dst', before: before.dst, after: packet.dst })
  if (packet.mark !== before.mark) changes.push({ field: 'mark', before: before.mark, after: packet.mark })
  if (packet.ttl !== before.ttl) changes.push({ field: 'ip.ttl', before: before.ttl, after: packet.ttl })
  if (packet.tos !== before.tos) changes.push({ field: 'ip.tos', before: before.tos, after: packet.tos })
  if (packet.priority !== before.priority) changes.push({ field: 'priority', before: before.priority, after: packet.priority })
  if (packet.tcp && packet.tcp.flags !== before.tcp?.flags) changes.push({ field: 'tcp.flags', before: before.tcp?.flags, after: packet.tcp.flags })
  if (packet.tcp?.mss !== before.tcp?.mss && packet.tcp?.mss !== undefined) changes.push({ field: 'tcp.mss', before: before.tcp?.mss, after: packet.tcp.mss })
  if (markAfter !== markBefore && markAfter !== undefined) changes.push({ field: 'ct.mark', before: markBefore, after: markAfter })
  if (changes.length > 0) flight.record({ kind: 'rewrite', by: { kind: 'rule', place }, changes, packet })
}
