/** Matches and targets of the rules that a policy becomes, in iptables-save's words: a long policy has many, and nothing else is done with them. */

import { hashBurst, hashRate } from '../extensions/hashlimit-types.ts'
import { targetInWords, useInWords } from '../extensions/option-words.ts'
import { rate } from '../extensions/rate-type.ts'
import type { Reading } from '../extensions/extension.ts'
import { cutToBytes } from '../extensions/text-types.ts'
import { ipv4Answer, ipv6Answer } from '../extensions/reject-types.ts'
import type { Infos, OptionUse } from '../ir/ruleset.ts'
import { ADDRESS_TYPE, CT_STATE } from '../meaning/fields.ts'
import { familyOf } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { PROTOCOL, savedProtocolName } from '../net/protocol.ts'
import type { NumberRange } from '../net/ranges.ts'
import type { IcmpMessage, Limit, Maximum } from './resolved.ts'
import { invariant } from '../diagnostics/diagnostic.ts'

/** Returns matches of destination (or source) ports of a protocol; one range, or a list for `-m multiport`. */
export function portMatch(protocol: number, ports: readonly NumberRange[], side: 'dport' | 'sport' = 'dport'): string {
  const only = ports[0]
  if (only && ports.length === 1 && only.low === only.high && side === 'dport' && protocol !== PROTOCOL.udplite) return singlePort(protocol, only)
  const key = `${protocol} ${side} ${ports.map(({ low, high }) => `${low}-${high}`).join()}`
  return shared(key, () => {
    const name = savedProtocolName(protocol) ?? 'tcp'
    if (only && ports.length === 1 && protocol !== PROTOCOL.udplite) return matchWords(name, { [side]: plain(only) })
    return matchWords('multiport', { [`${side}s`]: plain(ports) })
  })
}

function singlePort(protocol: number, { low }: NumberRange): string {
  const name = savedProtocolName(protocol) ?? 'tcp'
  return `-m ${name} --dport ${low}`
}

/** Returns the match of an ICMP or ICMPv6 message. */
export function messageMatch(family: Family, message: IcmpMessage): string {
  const key = `${family} icmp ${message.type} ${message.low} ${message.high}`
  return shared(key, () => (family === 'ipv4' ? matchWords('icmp', { 'icmp-type': plain(message) }) : matchWords('icmp6', { 'icmpv6-type': plain(message) }, family)))
}

/** What is asked of the connection. */
export interface ConnectionOptions {
  readonly states?: readonly (keyof typeof CT_STATE)[]
  readonly originalDestination?: Prefix
  readonly originalPort?: NumberRange
  readonly isOriginal?: boolean
}

/** Returns the match `conntrack`. */
export function connectionMatch({ states, originalDestination, originalPort, isOriginal }: ConnectionOptions): string {
  const infos: Record<string, OptionUse> = {}
  if (states) infos['ctstate'] = plain(states.reduce((bits, state) => bits | CT_STATE[state], 0))
  if (originalDestination) infos['ctorigdst'] = plain(originalDestination)
  if (originalPort) infos['ctorigdstport'] = plain(originalPort)
  if (isOriginal) infos['ctdir'] = plain(0)
  return matchWords('conntrack', infos)
}

/** Replies, and what belongs to a connection. */
export const ESTABLISHED = connectionMatch({ states: ['RELATED', 'ESTABLISHED'] })

/** What belongs to no connection and cannot begin one. */
export const INVALID = connectionMatch({ states: ['INVALID'] })

/** What has not been sent elsewhere. */
export const UNTRANSLATED = matchWords('conntrack', { ctstate: { value: CT_STATE.DNAT, inverted: true } })

/** What has an authentication header, in IPv6. */
export const AUTHENTICATED = matchWords('ah', {}, 'ipv6')

/** What is not tracked. */
export const UNTRACKED = connectionMatch({ states: ['UNTRACKED'] })

/** Returns the match of an ipset; `inverted` with `!`. */
export function setMatch(name: string, side: 'src' | 'dst', inverted = false): string {
  return shared(`set ${side} ${inverted ? '!' : ''}${name}`, () => matchWords('set', { 'match-set': { value: { name, directions: [side] }, inverted } }))
}

/** Addresses of the host itself; `inverted`: of others. */
export function localAddress(side: 'src' | 'dst', sense: 'plain' | 'inverted' = 'plain'): string {
  return shared(`local ${sense} ${side}`, () => matchWords('addrtype', { [`${side}-type`]: { value: ADDRESS_TYPE.LOCAL, inverted: sense === 'inverted' } }))
}

/** Returns the match of a limit: `limit`, or `hashlimit` with a table of the name given. */
export function limitMatch({ rate: text, per, burst }: Limit, name: string, family: Family): string {
  if (per === undefined) return shared(`limit ${text} ${burst ?? ''}`, () => matchWords('limit', { limit: plain(valueOf(rate.read([text], 'ipv4'))), ...(burst === undefined ? {} : { 'limit-burst': plain(burst) }) }))
  const infos = {
    'hashlimit-upto': plain(valueOf(hashRate.read([text], 'ipv4'))),
    'hashlimit-burst': plain(valueOf(hashBurst.read([String(burst ?? 5)], 'ipv4'))),
    'hashlimit-mode': plain(MODES[per]),
    'hashlimit-name': plain(name),
  }
  return matchWords('hashlimit', infos, family)
}

const MODES = { source: ['srcip'], destination: ['dstip'], flow: ['srcip', 'srcport', 'dstip', 'dstport'] } as const

/** Returns the match of a number of connections. */
export function maximumMatch({ count, perSource }: Maximum, family: Family): string {
  const mask = perSource ? (family === 'ipv4' ? 32 : 128) : 0
  return matchWords('connlimit', { 'connlimit-upto': plain(count), 'connlimit-mask': plain(mask), 'connlimit-saddr': plain(true) }, family)
}

/** Returns the match of a last second. */
export function untilMatch(seconds: number): string {
  return matchWords('time', { datestop: plain(seconds) })
}

/** Returns the comment of a sentence's rules in iptables-save's words: where it stands, and its reason. At most 255 bytes. */
export function commentOf(place: string, reason?: string): string {
  const comment = plain(cutToBytes(reason === undefined ? place : `${place} ${reason}`, COMMENT_BYTES))
  return matchWords('comment', { comment })
}

const COMMENT_BYTES = 255

/** What is done with a packet, as iptables-save writes it. */
export interface Target {
  readonly words: string
}

/** Returns a verdict. */
export function verdict(name: 'ACCEPT' | 'DROP' | 'RETURN' | 'MASQUERADE'): Target {
  return VERDICTS[name]
}

const VERDICTS = { ACCEPT: { words: '-j ACCEPT' }, DROP: { words: '-j DROP' }, RETURN: { words: '-j RETURN' }, MASQUERADE: { words: '-j MASQUERADE' } } as const

/** Returns a REJECT: a reset, or that the port is unreachable. */
export function rejection(family: Family, isReset: boolean): Target {
  const answer = family === 'ipv4' ? ipv4Answer : ipv6Answer
  const word = isReset ? 'tcp-reset' : family === 'ipv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable'
  return target('REJECT', { 'reject-with': plain(valueOf(answer.read([word], family))) }, family)
}

/** Returns LOG with a prefix. */
export function logging(prefix: string): Target {
  return target('LOG', { 'log-prefix': plain(prefix) })
}

/** Returns DNAT to an address, with a port where it changes. */
export function destinationNat(address: Address, port: number | undefined): Target {
  return target('DNAT', { 'to-destination': plain({ addresses: { low: address, high: address }, ...(port === undefined ? {} : { ports: { low: port, high: port } }) }) }, familyOf(address))
}

/** Returns SNAT to an address. */
export function sourceNat(address: Address): Target {
  return target('SNAT', { 'to-source': plain({ addresses: { low: address, high: address } }) }, familyOf(address))
}

/** Returns REDIRECT to a port. */
export function redirection(port: number): Target {
  return target('REDIRECT', { 'to-ports': plain({ low: port, high: port }) })
}

/** CT --notrack. */
export const NOTRACK = target('CT', { notrack: plain(true) })

/** Returns a jump. */
export function jumpTo(chain: string): Target {
  return { words: `-j ${chain}` }
}

/** Returns a goto. */
export function gotoChain(chain: string): Target {
  return { words: `-g ${chain}` }
}

function matchWords(name: string, infos: Infos, family: Family = 'ipv4'): string {
  return useInWords({ name, infos }, family)
}

function target(name: string, infos: Infos, family: Family = 'ipv4'): Target {
  return { words: targetInWords({ kind: 'target', name, infos }, family) }
}

function plain(value: unknown): OptionUse {
  return { value, inverted: false }
}

function valueOf<T>(reading: Reading<T>): T {
  invariant(reading.ok, 'a value of the policy was not checked')
  return reading.value
}

const known = new Map<string, string>()

/** Forgets all where a policy has so many that sharing is no gain. */
function shared(key: string, make: () => string): string {
  const old = known.get(key)
  if (old !== undefined) return old
  const made = make()
  if (known.size > MOST_SHARED) known.clear()
  known.set(key, made)
  return made
}

const MOST_SHARED = 100_000
