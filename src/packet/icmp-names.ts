/** ICMP and ICMPv6 types by the names that people use. Source: extensions/libxt_icmp.h icmp_codes[], icmpv6_codes[]. */

import { PROTOCOL } from '../net/protocol.ts'

interface IcmpName {
  readonly name: string
  readonly type: number
  readonly code: number
}

const named = (name: string, type: number, code = 0): IcmpName => ({ name, type, code })

/** Of several names of one type and code the first is written. */
const ICMP_NAMES: readonly IcmpName[] = [
  named('echo-request', 8), named('ping', 8), named('echo-reply', 0), named('pong', 0),
  named('network-unreachable', 3), named('host-unreachable', 3, 1), named('protocol-unreachable', 3, 2), named('port-unreachable', 3, 3),
  named('fragmentation-needed', 3, 4), named('source-route-failed', 3, 5), named('network-unknown', 3, 6), named('host-unknown', 3, 7),
  named('network-prohibited', 3, 9), named('host-prohibited', 3, 10), named('communication-prohibited', 3, 13),
  named('source-quench', 4), named('network-redirect', 5), named('host-redirect', 5, 1), named('router-advertisement', 9), named('router-solicitation', 10),
  named('ttl-exceeded', 11), named('ttl-zero-during-transit', 11), named('ttl-zero-during-reassembly', 11, 1), named('parameter-problem', 12),
  named('timestamp-request', 13), named('timestamp-reply', 14), named('address-mask-request', 17), named('address-mask-reply', 18),
]

const ICMP6_NAMES: readonly IcmpName[] = [
  named('echo-request', 128), named('ping', 128), named('echo-reply', 129), named('pong', 129),
  named('no-route', 1), named('communication-prohibited', 1, 1), named('beyond-scope', 1, 2), named('address-unreachable', 1, 3), named('port-unreachable', 1, 4),
  named('packet-too-big', 2), named('ttl-exceeded', 3), named('ttl-zero-during-transit', 3), named('ttl-zero-during-reassembly', 3, 1),
  named('bad-header', 4), named('unknown-header-type', 4, 1), named('unknown-option', 4, 2),
  named('router-solicitation', 133), named('router-advertisement', 134), named('neighbour-solicitation', 135), named('neighbor-solicitation', 135),
  named('neighbour-advertisement', 136), named('neighbor-advertisement', 136), named('redirect', 137),
]

/** Returns type and code of a name, undefined where the protocol has none of that name. */
export function icmpTypeOfName(name: string, protocol: number): { readonly type: number; readonly code: number } | undefined {
  const found = namesOf(protocol).find(row => row.name === name)
  return found && { type: found.type, code: found.code }
}

/** Returns the name of a type and code, undefined where it has none. */
export function icmpNameOfType(type: number, code: number, protocol: number): string | undefined {
  return namesOf(protocol).find(row => row.type === type && row.code === code)?.name
}

/** Returns all names that a protocol has, for "did you mean". */
export function icmpNames(protocol: number): readonly string[] {
  return namesOf(protocol).map(row => row.name)
}

/** Tells whether messages of this type carry an identifier and a sequence number. */
export function hasIcmpId(type: number, protocol: number): boolean {
  return protocol === PROTOCOL.icmp ? [0, 8, 13, 14, 15, 16, 17, 18].includes(type) : type === 128 || type === 129
}

function namesOf(protocol: number): readonly IcmpName[] {
  return protocol === PROTOCOL.icmp ? ICMP_NAMES : protocol === PROTOCOL.icmpv6 ? ICMP6_NAMES : []
}
