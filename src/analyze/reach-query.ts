/** Questions such as `from eth0 to 10.0.0.0/8 tcp/22`: which packets are meant. */

import { all, always, any, equals, onDevice, within, masked } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { familyOf, readPrefix } from '../net/address.ts'
import type { Family } from '../net/address.ts'
import { PROTOCOL, protocolNumber } from '../net/protocol.ts'
import type { FlowState } from '../symbolic/fate.ts'
import type { Start } from '../symbolic/reachable-sets.ts'

/** A question about packets. */
export interface ReachQuery {
  readonly text: string
  readonly start: Start
  readonly state: Extract<FlowState, 'new' | 'known'>
  /** What holds of the packets where they begin. */
  readonly when: Predicate
  /** Where they are meant to get: to this host, out of a device, or anywhere. */
  readonly goal: { readonly kind: 'any' } | { readonly kind: 'host' } | { readonly kind: 'device'; readonly name: string }
  /** Devices that the question names. */
  readonly devices: readonly string[]
  /** The family that the addresses are of; undefined where there are none. */
  readonly family: Family | undefined
}

/** A question that cannot be read; `word` is the one that is wrong. */
export interface QueryProblem {
  readonly message: string
  readonly word: string
}

/** Reads a question. Both ends may be left out: then they are any. */
export function readReachQuery(text: string): { readonly ok: true; readonly value: ReachQuery } | { readonly ok: false; readonly problem: QueryProblem } {
  const words = text.trim().split(/\s+/).filter(word => word !== '')
  const draft: Draft = { start: 'arrive', state: 'new', goal: { kind: 'any' }, parts: [], devices: [], family: undefined }
  let side: 'from' | 'to' | undefined
  for (const word of words) {
    if (word === 'from' || word === 'to') side = word
    else {
      const problem = readWord(draft, word, side)
      if (problem) return { ok: false, problem: { message: problem, word } }
    }
  }
  return { ok: true, value: { text: words.join(' '), start: draft.start, state: draft.state, when: all(draft.parts), goal: draft.goal, devices: draft.devices, family: draft.family } }
}

interface Draft {
  start: Start
  state: ReachQuery['state']
  goal: ReachQuery['goal']
  parts: Predicate[]
  devices: string[]
  family: Family | undefined
}

function readWord(draft: Draft, word: string, side: 'from' | 'to' | undefined): string | undefined {
  if (word === 'established') {
    draft.state = 'known'
    return undefined
  }
  const service = readService(word)
  if (typeof service === 'string') return service
  if (service) {
    draft.parts.push(service)
    return undefined
  }
  if (side === undefined) return `\`${word}\` is no service: a question reads \`from eth0 to 10.0.0.0/8 tcp/22\``
  if (word === 'any') return undefined
  if (word === 'host') {
    if (side === 'from') draft.start = 'make'
    else draft.goal = { kind: 'host' }
    return undefined
  }
  const prefix = readPrefix(word)
  if (prefix) {
    draft.family = familyOf(prefix.address)
    draft.parts.push(masked(side === 'from' ? 'ip.src' : 'ip.dst', prefix.mask, prefix.address))
    return undefined
  }
  if (!/^[A-Za-z][A-Za-z0-9._@-]{0,14}$/.test(word)) return `\`${word}\` is no device, address or prefix`
  draft.devices.push(word)
  if (side === 'from') draft.parts.push(onDevice('device.in', { name: word, prefix: false }))
  else draft.goal = { kind: 'device', name: word }
  return undefined
}

/** `tcp/22`, `udp/53,67`, `tcp/1000-2000`, `icmp`; undefined for a word that is no service, a text where a port is wrong. */
export function readService(word: string): Predicate | string | undefined {
  const [name = '', ports] = word.split('/')
  const protocol = /^[a-z]/.test(name) ? protocolNumber(name) : undefined
  if (protocol === undefined || (ports === undefined && name.length < 2)) return undefined
  if (ports === undefined) return equals('ip.protocol', protocol)
  if (![PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp, PROTOCOL.dccp, PROTOCOL.udplite].some(one => one === protocol)) return `${name} has no ports`
  const ranges = ports.split(',').map(range => range.split('-').map(Number))
  if (ranges.some(([low, high = low]) => low === undefined || high === undefined || !(low >= 0 && low <= high && high <= 65535))) return `\`${ports}\` is no port or range of ports from 0 to 65535`
  const ofPorts = any(ranges.map(([low = 0, high = low]) => (low === high ? equals('l4.dport', low) : within('l4.dport', low, high))))
  return all([equals('ip.protocol', protocol), ofPorts.kind === 'never' ? always : ofPorts])
}
