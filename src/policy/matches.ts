/** Matches and targets of the rules that a policy becomes, as the IR has them. Equal ones are shared where that is cheap. */

import { hashBurst, hashRate } from '../extensions/hashlimit-types.ts'
import { useInWords } from '../extensions/option-words.ts'
import { rate } from '../extensions/rate-type.ts'
import type { Reading } from '../extensions/extension.ts'
import { cutToBytes } from '../extensions/text-types.ts'
import { ipv4Answer, ipv6Answer } from '../extensions/reject-types.ts'
import type { Infos, MatchUse, OptionUse, TargetUse } from '../ir/ruleset.ts'
import { ADDRESS_TYPE, CT_STATE } from '../meaning/fields.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import type { DevicePattern } from '../net/device-name.ts'
import { PROTOCOL, savedProtocolName } from '../net/protocol.ts'
import type { NumberRange } from '../net/ranges.ts'
import type { IcmpMessage, Limit, Maximum } from './resolved.ts'
import { invariant } from '../diagnostics/diagnostic.ts'

/** The options of ip itself. `except` are inverted. */
export interface IpOptions {
  readonly source?: Prefix | undefined
  readonly destination?: Prefix | undefined
  readonly inDevice?: DevicePattern | undefined
  readonly outDevice?: DevicePattern | undefined
  readonly protocol?: number | undefined
  readonly except?: 'source' | 'destination' | 'inDevice' | 'outDevice' | undefined
}

/** Returns the match `ip`, undefined where it would match everything. */
export function ipMatch({ source, destination, inDevice, outDevice, protocol, except }: IpOptions): MatchUse | undefined {
  if (!source && !destination && !inDevice && !outDevice) return protocol === undefined || protocol === 0 ? undefined : protocolMatch(protocol)
  const infos: Record<string, OptionUse> = {}
  if (source && !isEverything(source)) infos['source'] = { value: source, inverted: except === 'source' }
  if (destination && !isEverything(destination)) infos['destination'] = { value: destination, inverted: except === 'destination' }
  if (inDevice) infos['in-interface'] = { value: inDevice, inverted: except === 'inDevice' }
  if (outDevice) infos['out-interface'] = { value: outDevice, inverted: except === 'outDevice' }
  const only = protocol === undefined || protocol === 0 ? undefined : protocolMatch(protocol).infos['protocol']
  if (only) infos['protocol'] = only
  for (const _ in infos) return { name: 'ip', infos }
  return undefined
}

const protocolMatches = new Map<number, MatchUse>()

function protocolMatch(protocol: number): MatchUse {
  const known = protocolMatches.get(protocol) ?? { name: 'ip', infos: { protocol: plain(protocol) } }
  protocolMatches.set(protocol, known)
  return known
}

function isEverything({ mask }: Prefix): boolean {
  return mask === 0 || mask === 0n
}

/** Returns matches of destination (or source) ports of a protocol; one range, or a list for `-m multiport`. */
export function portMatch(protocol: number, ports: readonly NumberRange[], side: 'dport' | 'sport' = 'dport'): MatchUse {
  const [only] = ports
  if (only && ports.length === 1 && only.low === only.high && side === 'dport' && protocol !== PROTOCOL.udplite) return singlePort(protocol, only)
  const key = `${protocol} ${side} ${ports.map(({ low, high }) => `${low}-${high}`).join()}`
  return shared(key, () => {
    const name = savedProtocolName(protocol) ?? 'tcp'
    if (only && ports.length === 1 && protocol !== PROTOCOL.udplite) return { name, infos: { [side]: plain(only) } }
    return { name: 'multiport', infos: { [`${side}s`]: plain(ports) } }
  })
}

const singlePorts = new Map<number, MatchUse>()

function singlePort(protocol: number, port: NumberRange): MatchUse {
  const key = protocol * 65536 + port.low
  const known = singlePorts.get(key)
  if (known) return known
  const made = { name: savedProtocolName(protocol) ?? 'tcp', infos: { dport: plain(port) } }
  singlePorts.set(key, made)
  return made
}

/** Returns the match of an ICMP or ICMPv6 message. */
export function messageMatch(family: Family, message: IcmpMessage): MatchUse {
  const key = `${family} icmp ${message.type} ${message.low} ${message.high}`
  return shared(key, () => (family === 'ipv4' ? { name: 'icmp', infos: { 'icmp-type': plain(message) } } : { name: 'icmp6', infos: { 'icmpv6-type': plain(message) } }))
}

/** What is asked of the connection. */
export interface ConnectionOptions {
  readonly states?: readonly (keyof typeof CT_STATE)[]
  readonly originalDestination?: Prefix
  readonly originalPort?: NumberRange
  readonly isOriginal?: boolean
}

/** Returns the match `conntrack`. */
export function connectionMatch({ states, originalDestination, originalPort, isOriginal }: ConnectionOptions): MatchUse {
  const infos: Record<string, OptionUse> = {}
  if (states) infos['ctstate'] = plain(states.reduce((bits, state) => bits | CT_STATE[state], 0))
  if (originalDestination) infos['ctorigdst'] = plain(originalDestination)
  if (originalPort) infos['ctorigdstport'] = plain(originalPort)
  if (isOriginal) infos['ctdir'] = plain(0)
  return { name: 'conntrack', infos }
}

/** Replies, and what belongs to a connection. */
export const ESTABLISHED = connectionMatch({ states: ['RELATED', 'ESTABLISHED'] })

/** What belongs to no connection and cannot begin one. */
export const INVALID = connectionMatch({ states: ['INVALID'] })

/** What has not been sent elsewhere. */
export const UNTRANSLATED: MatchUse = { name: 'conntrack', infos: { ctstate: { value: CT_STATE.DNAT, inverted: true } } }

/** What has an authentication header, in IPv6. */
export const AUTHENTICATED: MatchUse = { name: 'ah', infos: {} }

/** What is not tracked. */
export const UNTRACKED = connectionMatch({ states: ['UNTRACKED'] })

/** Returns the match of an ipset; `inverted` with `!`. */
export function setMatch(name: string, side: 'src' | 'dst', inverted = false): MatchUse {
  return { name: 'set', infos: { 'match-set': { value: { name, directions: [side] }, inverted } } }
}

/** Addresses of the host itself. */
export function localAddress(side: 'src' | 'dst'): MatchUse {
  return shared(`local ${side}`, () => ({ name: 'addrtype', infos: { [`${side}-type`]: plain(ADDRESS_TYPE.LOCAL) } }))
}

/** Returns the match of a limit: `limit`, or `hashlimit` with a table of the name given. */
export function limitMatch({ rate: text, per, burst }: Limit, name: string): MatchUse {
  if (per === undefined) return { name: 'limit', infos: { limit: plain(valueOf(rate.read([text], 'ipv4'))), ...(burst === undefined ? {} : { 'limit-burst': plain(burst) }) } }
  return {
    name: 'hashlimit',
    infos: {
      'hashlimit-upto': plain(valueOf(hashRate.read([text], 'ipv4'))),
      'hashlimit-burst': plain(valueOf(hashBurst.read([String(burst ?? 5)], 'ipv4'))),
      'hashlimit-mode': plain(MODES[per]),
      'hashlimit-name': plain(name),
    },
  }
}

const MODES = { source: ['srcip'], destination: ['dstip'], flow: ['srcip', 'srcport', 'dstip', 'dstport'] } as const

/** Returns the match of a number of connections. */
export function maximumMatch({ count, perSource }: Maximum, family: Family): MatchUse {
  const mask = perSource ? (family === 'ipv4' ? 32 : 128) : 0
  return { name: 'connlimit', infos: { 'connlimit-upto': plain(count), 'connlimit-mask': plain(mask), 'connlimit-saddr': plain(true) } }
}

/** Returns the match of a last second. */
export function untilMatch(seconds: number): MatchUse {
  return { name: 'time', infos: { datestop: plain(seconds) } }
}

/** Returns the comment of a sentence's rules in iptables-save's words: where it stands, and its reason. At most 255 bytes. */
export function commentOf(place: string, reason?: string): string {
  const comment = plain(cutToBytes(reason === undefined ? place : `${place} ${reason}`, COMMENT_BYTES))
  return useInWords({ name: 'comment', infos: { comment } }, 'ipv4')
}

const COMMENT_BYTES = 255

/** Returns a verdict. */
export function verdict(name: 'ACCEPT' | 'DROP' | 'RETURN' | 'MASQUERADE'): TargetUse {
  return VERDICTS[name]
}

const VERDICTS = { ACCEPT: target('ACCEPT'), DROP: target('DROP'), RETURN: target('RETURN'), MASQUERADE: target('MASQUERADE') } as const

/** Returns a REJECT: a reset, or that the port is unreachable. */
export function rejection(family: Family, isReset: boolean): TargetUse {
  const answer = family === 'ipv4' ? ipv4Answer : ipv6Answer
  const word = isReset ? 'tcp-reset' : family === 'ipv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable'
  return sharedTarget(`reject ${family} ${word}`, () => target('REJECT', { 'reject-with': plain(valueOf(answer.read([word], family))) }))
}

/** Returns LOG with a prefix. */
export function logging(prefix: string): TargetUse {
  return sharedTarget(`log ${prefix}`, () => target('LOG', { 'log-prefix': plain(prefix) }))
}

/** Returns DNAT to an address, with a port where it changes. */
export function destinationNat(address: Address, port: number | undefined): TargetUse {
  return target('DNAT', { 'to-destination': plain({ addresses: { low: address, high: address }, ...(port === undefined ? {} : { ports: { low: port, high: port } }) }) })
}

/** Returns SNAT to an address. */
export function sourceNat(address: Address): TargetUse {
  return target('SNAT', { 'to-source': plain({ addresses: { low: address, high: address } }) })
}

/** Returns REDIRECT to a port. */
export function redirection(port: number): TargetUse {
  return target('REDIRECT', { 'to-ports': plain({ low: port, high: port }) })
}

/** CT --notrack. */
export const NOTRACK: TargetUse = target('CT', { notrack: plain(true) })

/** Returns a jump. */
export function jumpTo(chain: string): TargetUse {
  return sharedTarget(`jump ${chain}`, () => ({ kind: 'jump', chain }))
}

/** Returns a goto. */
export function gotoChain(chain: string): TargetUse {
  return sharedTarget(`goto ${chain}`, () => ({ kind: 'goto', chain }))
}

function target(name: string, infos: Infos = {}): TargetUse {
  return { kind: 'target', name, infos }
}

function plain(value: unknown): OptionUse {
  return { value, inverted: false }
}

function valueOf<T>(reading: Reading<T>): T {
  invariant(reading.ok, 'a value of the policy was not checked')
  return reading.value
}

const matches = new Map<string, MatchUse>()
const targets = new Map<string, TargetUse>()

function shared(key: string, make: () => MatchUse): MatchUse {
  return remember(matches, key, make)
}

function sharedTarget(key: string, make: () => TargetUse): TargetUse {
  return remember(targets, key, make)
}

/** Forgets all where a policy has so many that sharing is no gain. */
function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  const old = known.get(key)
  if (old) return old
  const made = make()
  if (known.size > MOST_SHARED) known.clear()
  known.set(key, made)
  return made
}

const MOST_SHARED = 100_000
