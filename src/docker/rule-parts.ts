/** Matches and targets of dockerd's rules in the IR's terms. */

import { ADDRESS_TYPE, CT_STATE } from '../meaning/fields.ts'
import type { MatchUse, OptionUse, TargetUse } from '../ir/ruleset.ts'
import { addressWidth, familyOf, maskOfLength } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { PortProtocol } from './model.ts'

/** A value with `!` before it. */
export interface Not<T> {
  readonly not: T
}

/** What `-s -d -i -o -p` say. */
export interface HeaderTest {
  readonly source?: Prefix | Not<Prefix>
  readonly destination?: Prefix | Not<Prefix>
  readonly inDevice?: string | Not<string>
  readonly outDevice?: string | Not<string>
  readonly protocol?: number
}

/** Returns a value with `!` before it. */
export function not<T>(value: T): Not<T> {
  return { not: value }
}

/** Returns the match of the header. */
export function header({ source, destination, inDevice, outDevice, protocol }: HeaderTest): MatchUse {
  return {
    name: 'ip',
    infos: {
      ...(source === undefined ? {} : { source: optionOf(source) }),
      ...(destination === undefined ? {} : { destination: optionOf(destination) }),
      ...(inDevice === undefined ? {} : { 'in-interface': deviceOption(inDevice) }),
      ...(outDevice === undefined ? {} : { 'out-interface': deviceOption(outDevice) }),
      ...(protocol === undefined ? {} : { protocol: plain(protocol) }),
    },
  }
}

/** Returns the matches of packets of a protocol from or to a port: the header's and the protocol's. */
export function portOf(protocol: PortProtocol, side: 'sport' | 'dport', port: number, test: HeaderTest = {}): readonly MatchUse[] {
  return [header({ ...test, protocol: PROTOCOL[protocol] }), { name: protocol, infos: { [side]: plain({ low: port, high: port }) } }]
}

/** Matches packets whose destination, or source, is an address of the host itself. */
export const toLocal: MatchUse = { name: 'addrtype', infos: { 'dst-type': plain(ADDRESS_TYPE.LOCAL) } }

/** The same for the source. */
export const fromLocal: MatchUse = { name: 'addrtype', infos: { 'src-type': plain(ADDRESS_TYPE.LOCAL) } }

/** Matches packets of connections that were let through before. */
export const ofConnections: MatchUse = { name: 'conntrack', infos: { ctstate: plain(CT_STATE.RELATED | CT_STATE.ESTABLISHED) } }

/** The same in the words of `-m state`. */
export const ofConnectionsByState: MatchUse = { name: 'state', infos: { state: plain(CT_STATE.RELATED | CT_STATE.ESTABLISHED) } }

/** Matches a packet mark under a mask. */
export function marked(value: number, mask: number): MatchUse {
  return { name: 'mark', infos: { mark: plain({ mark: value, mask }) } }
}

/** Matches destinations that an ipset has. */
export function inSet(name: string): MatchUse {
  return { name: 'set', infos: { 'match-set': plain({ name, directions: ['dst'] }) } }
}

/** Ends in ACCEPT, DROP or RETURN. */
export function verdict(name: 'ACCEPT' | 'DROP' | 'RETURN'): TargetUse {
  return { kind: 'target', name, infos: {} }
}

/** Goes on in a user chain. */
export function jumpTo(chain: string): TargetUse {
  return { kind: 'jump', chain }
}

/** Gives the connection the address of its device of departure, or a fixed one. */
export function hideBehind(address: Address | undefined): TargetUse {
  if (address === undefined) return { kind: 'target', name: 'MASQUERADE', infos: {} }
  return { kind: 'target', name: 'SNAT', infos: { 'to-source': plain({ addresses: { low: address, high: address } }) } }
}

/** Gives the connection another destination. */
export function sendTo(address: Address, port: number): TargetUse {
  return { kind: 'target', name: 'DNAT', infos: { 'to-destination': plain({ addresses: { low: address, high: address }, ports: { low: port, high: port } }) } }
}

/** Computes a checksum that hardware would have computed. */
export const fillChecksum: TargetUse = { kind: 'target', name: 'CHECKSUM', infos: { 'checksum-fill': plain(true) } }

/** Returns the prefix that has one address only. */
export function host(address: Address): Prefix {
  const family = familyOf(address)
  return { address, mask: maskOfLength(family, addressWidth(family)) }
}

/** Returns the addresses of the loopback device. */
export function loopbackPrefix(family: Family): Prefix {
  return family === 'ipv4' ? { address: 0x7f000000, mask: 0xff000000 } : host(1n)
}

function plain(value: unknown): OptionUse {
  return { value, inverted: false }
}

function optionOf(test: Prefix | Not<Prefix>): OptionUse {
  return 'not' in test ? { value: test.not, inverted: true } : plain(test)
}

function deviceOption(test: string | Not<string>): OptionUse {
  const isInverted = typeof test !== 'string'
  return { value: { name: isInverted ? test.not : test, prefix: false }, inverted: isInverted }
}
