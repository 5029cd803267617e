/** ICMP and ICMPv6 types by number or name. Source: extensions/libxt_icmp.h; the names are those of iptables-extensions(8). */

import { read, refuse } from './extension.ts'
import type { OptionType, Reading } from './extension.ts'
import { didYouMean } from './did-you-mean.ts'
import { readWholeNumber } from './option-types.ts'

/** A type with codes from `low` to `high`. Type 255 is every type in IPv4. */
export interface IcmpType {
  readonly type: number
  readonly low: number
  readonly high: number
}

/** `name type[/code]`, separated by commas; the first name of equals is the usual one. */
export const ICMP_NAMES = names(`any 255, echo-reply 0, pong 0, destination-unreachable 3, network-unreachable 3/0, host-unreachable 3/1,
protocol-unreachable 3/2, port-unreachable 3/3, fragmentation-needed 3/4, source-route-failed 3/5, network-unknown 3/6, host-unknown 3/7,
network-prohibited 3/9, host-prohibited 3/10, TOS-network-unreachable 3/11, TOS-host-unreachable 3/12, communication-prohibited 3/13,
host-precedence-violation 3/14, precedence-cutoff 3/15, source-quench 4, redirect 5, network-redirect 5/0, host-redirect 5/1,
TOS-network-redirect 5/2, TOS-host-redirect 5/3, echo-request 8, ping 8, router-advertisement 9, router-solicitation 10, time-exceeded 11,
ttl-exceeded 11, ttl-zero-during-transit 11/0, ttl-zero-during-reassembly 11/1, parameter-problem 12, ip-header-bad 12/0,
required-option-missing 12/1, timestamp-request 13, timestamp-reply 14, address-mask-request 17, address-mask-reply 18`)

/** The same for ICMPv6. iptables 1.8.9 has no names for multicast listener messages. */
export const ICMP6_NAMES = names(`destination-unreachable 1, no-route 1/0, communication-prohibited 1/1, beyond-scope 1/2, address-unreachable 1/3,
port-unreachable 1/4, failed-policy 1/5, reject-route 1/6, packet-too-big 2, time-exceeded 3, ttl-exceeded 3, ttl-zero-during-transit 3/0,
ttl-zero-during-reassembly 3/1, parameter-problem 4, bad-header 4/0, unknown-header-type 4/1, unknown-option 4/2, echo-request 128, ping 128,
echo-reply 129, pong 129, router-solicitation 133, router-advertisement 134, neighbour-solicitation 135, neighbor-solicitation 135,
neighbour-advertisement 136, neighbor-advertisement 136, redirect 137`)

type IcmpNames = readonly (readonly [name: string, type: IcmpType])[]

/** Type names may be cut short where that leaves one. Kernel: of a range of codes only the first is printed, all are matched. */
export function icmpType(known: IcmpNames, protocol: string): OptionType<IcmpType> {
  return {
    syntax: 'type[/code]', words: 1,
    read: ([word = '']) => readIcmpType(word, known, protocol),
    write: ({ type, low, high }) => [low === 0 && high === 255 ? String(type) : `${type}/${low}`],
  }
}

function readIcmpType(word: string, known: IcmpNames, protocol: string): Reading<IcmpType> {
  const meant = known.filter(([name]) => name.toLowerCase().startsWith(word.toLowerCase()))
  const [first, second] = meant
  if (first && second) return refuse(`\`${word}\` may be ${meant.map(([name]) => `\`${name}\``).join(' or ')}`)
  if (first) return read(first[1])
  const parts = /^([^/:]+)(?::([^/:]+))?(?:\/([^/:]+)(?::([^/:]+))?)?$/.exec(word)
  const [type, typeEnd, low, high] = [parts?.[1], parts?.[2], parts?.[3], parts?.[4]].map(part => (part === undefined ? undefined : readWholeNumber(part, 0, 255)))
  for (const part of [type, typeEnd, low, high]) if (part && !part.ok) return refuse(/^\d/.test(word) ? part.problem : `there is no ${protocol} type \`${word}\``, didYouMean(word, known.map(([name]) => name)))
  if (!type?.ok) return refuse(`there is no ${protocol} type \`${word}\``, didYouMean(word, known.map(([name]) => name)))
  if (typeEnd?.ok && typeEnd.value !== type.value) return refuse(`\`${word}\` is a range of types: give one type in each rule`)
  return read({ type: type.value, low: low?.ok ? low.value : 0, high: high?.ok ? high.value : low?.ok ? low.value : 255 })
}

function names(list: string): IcmpNames {
  return list.split(',').map(entry => {
    const [name = '', numbers = ''] = entry.trim().split(' ')
    const [type, code] = numbers.split('/').map(Number)
    return [name, { type: type ?? 0, low: code ?? 0, high: code ?? 255 }]
  })
}
