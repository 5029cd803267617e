/** Matches and targets of the rules that engines write, in the IR's terms. */

import type { MatchUse, OptionUse, TargetUse } from '../ir/ruleset.ts'
import { ADDRESS_TYPE, CT_STATE } from '../meaning/fields.ts'
import { addressWidth, familyOf, maskOfLength } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { readDevicePattern } from '../net/device-name.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { PortProtocol } from '../net/protocol.ts'
import type { NumberRange } from '../net/ranges.ts'

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
  return [header({ ...test, protocol: PROTOCOL[protocol] }), portMatch(protocol, side, { low: port, high: port })]
}

/** Returns the match of a protocol's ports, or of the protocol alone. */
export function portMatch(protocol: PortProtocol, side: 'sport' | 'dport', ports?: NumberRange): MatchUse {
  return { name: protocol, infos: ports === undefined ? {} : { [side]: plain(ports) } }
}

/** Matches up to 15 destination ports. */
export function toPorts(ports: readonly number[]): MatchUse {
  return { name: 'multiport', infos: { dports: plain(ports.map(port => ({ low: port, high: port }))) } }
}

/** Matches every packet and carries a text of at most 255 bytes. */
export function commented(text: string): MatchUse {
  return { name: 'comment', infos: { comment: plain(text) } }
}

/** Matches packets whose destination, or source, is an address of the host itself. */
export const toLocal: MatchUse = { name: 'addrtype', infos: { 'dst-type': plain(ADDRESS_TYPE.LOCAL) } }

/** The same for the source. */
export const fromLocal: MatchUse = { name: 'addrtype', infos: { 'src-type': plain(ADDRESS_TYPE.LOCAL) } }

/** Matches packets of connections that were let through before. */
export const ofConnections: MatchUse = inStates(CT_STATE.RELATED | CT_STATE.ESTABLISHED)

/** Matches connection states, bits of `CT_STATE`. */
export function inStates(states: number | Not<number>): MatchUse {
  return { name: 'conntrack', infos: { ctstate: typeof states === 'number' ? plain(states) : { value: states.not, inverted: true } } }
}

/** The same in the words of `-m state`. */
export const ofConnectionsByState: MatchUse = { name: 'state', infos: { state: plain(CT_STATE.RELATED | CT_STATE.ESTABLISHED) } }

/** Matches a packet mark under a mask. */
export function marked(value: number, mask: number): MatchUse {
  return { name: 'mark', infos: { mark: plain({ mark: value, mask }) } }
}

/** Matches packets that lack a packet mark under a mask. */
export function unmarked(value: number, mask: number): MatchUse {
  return { name: 'mark', infos: { mark: { value: { mark: value, mask }, inverted: true } } }
}

/** Matches destinations, or sources, that an ipset has. */
export function inSet(name: string | Not<string>, side: 'src' | 'dst' = 'dst'): MatchUse {
  const isInverted = typeof name !== 'string'
  return { name: 'set', infos: { 'match-set': { value: { name: isInverted ? name.not : name, directions: [side] }, inverted: isInverted } } }
}

/** Matches one packet of so many, by chance. The kernel keeps the chance in units of 2^-31. */
export function byChance(probability: number): MatchUse {
  return { name: 'statistic', infos: { mode: plain('random'), probability: plain(Math.round(probability * 2 ** 31)) } }
}

/** Puts the source address on a list, or matches those that came there within so many seconds. */
export function recently(list: string, family: Family, seconds?: number): MatchUse {
  const of = { name: plain(list), mask: plain(maskOfLength(family, addressWidth(family))), rsource: plain('source') }
  return { name: 'recent', infos: seconds === undefined ? { set: plain(true), ...of } : { rcheck: plain(true), seconds: plain(seconds), reap: plain(true), ...of } }
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

/** Gives the connection the address of its device of departure, and a port by chance. */
export const hideAtRandom: TargetUse = { kind: 'target', name: 'MASQUERADE', infos: { 'random-fully': plain(true) } }

/** Gives the connection another destination; without a port its own one stays. */
export function sendTo(address: Address, port?: number): TargetUse {
  return { kind: 'target', name: 'DNAT', infos: { 'to-destination': plain({ addresses: { low: address, high: address }, ...(port === undefined ? {} : { ports: { low: port, high: port } }) }) } }
}

/** Gives connections to a range of ports another destination: the ports begin at `low` where theirs begin at `base`. */
export function sendRangeTo(address: Address, { low, high }: NumberRange, base: number): TargetUse {
  return { kind: 'target', name: 'DNAT', infos: { 'to-destination': plain({ addresses: { low: address, high: address }, ports: { low, high, base } }) } }
}

/** Clears the bits of a mask in the packet mark, then flips those of the value. */
export function setMark(value: number, mask: number): TargetUse {
  return { kind: 'target', name: 'MARK', infos: { 'set-xmark': plain({ mark: value, mask }) } }
}

/** Drops the packet and tells the sender that nobody serves the port. */
export const refuse: TargetUse = { kind: 'target', name: 'REJECT', infos: {} }

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

/** A name that ends in `+` stands for all devices whose names begin so. */
function deviceOption(test: string | Not<string>): OptionUse {
  return typeof test === 'string' ? plain(readDevicePattern(test)) : { value: readDevicePattern(test.not), inverted: true }
}
