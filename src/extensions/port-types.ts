/** Ports: the ways in which extensions read them. */

import { all, equals, not } from '../meaning/predicate.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { NumberRange } from '../net/ranges.ts'
import { servicePort } from '../net/services.ts'
import { read, refuse } from './extension.ts'
import type { InfosOf, OptionType, OptionUseOf, Reading } from './extension.ts'
import { readPort, writeRange } from './option-types.ts'
import { PLAIN_PORT_LIST, PLAIN_PORTS } from './plain-values.ts'

/**
 * A port or range of ports by decimal number or service name; the range may end before it begins, it then has no port.
 * Kernel: getaddrinfo(3) reads the numbers, which wraps round above 65535. Source: libxtables/xtoptions.c xtopt_parse_mport().
 */
export const looseRange: OptionType<NumberRange> = {
  syntax: 'port[:port]', words: 1,
  read([word = '']) {
    const parts = word.split(':')
    if (parts.length > 2) return refuse(`\`${word}\` has more than two ports`)
    const [lowWord = '', highWord] = parts
    const low = lowWord === '' ? read(0) : readLoosePort(lowWord)
    const high = highWord === undefined ? (lowWord === '' ? read(0) : low) : highWord === '' ? read(65535) : readLoosePort(highWord)
    if (!low.ok) return low
    return high.ok ? read({ low: low.value, high: high.value }, wrapped(parts)) : high
  },
  write: range => [writeRange(range, ':')],
  plain: () => PLAIN_PORTS,
}

/** One port by decimal number or the name of any service; numbers wrap round. Source: libxtables/xtoptions.c xtopt_parse_port(). */
export const loosePort: OptionType<number> = {
  syntax: 'port', words: 1,
  read([word = '']) {
    // Kernel: an empty word is port 0, as getaddrinfo(3) has it.
    const port = word === '' ? read(0) : readLoosePort(word)
    return port.ok ? read(port.value, wrapped([word])) : port
  },
  write: port => [String(port)],
}

function wrapped(parts: readonly string[]): string | undefined {
  const big = parts.find(part => /^\d+$/.test(part) && Number(part) > 65535)
  return big === undefined ? undefined : `port \`${big}\` is above 65535: it becomes ${BigInt(big) & 0xffffn}`
}

function readLoosePort(word: string): Reading<number> {
  const digits = /^[ \t]*\+?(\d+)$/.exec(word)?.[1]
  if (digits !== undefined) return wraps(BigInt(digits)) ? read(Number(BigInt(digits) & 0xffffn)) : refuse(`port \`${word}\` is above 65535`)
  const port = servicePort(word)
  return port === undefined ? refuse(`there is no service \`${word}\``) : read(port)
}

/** Kernel: of a number below 2^64 the low 32 bits are read with a sign, and what is negative is no port. */
function wraps(port: bigint): boolean {
  return port >> 64n === 0n && (port & 0x80000000n) === 0n
}

/** Up to 15 ports, a range counts as two. Source: extensions/libxt_multiport.c parse_multi_ports_v1(). */
export const portList: OptionType<readonly NumberRange[]> = {
  syntax: 'port[:port][,...]', words: 1,
  read([word = '']) {
    const list: NumberRange[] = []
    let count = 0
    for (const part of word.split(',')) {
      const range = readListedRange(part)
      if (!range.ok) return range
      count += part.includes(':') ? 2 : 1
      list.push(range.value)
    }
    return count > 15 ? refuse(`\`${word}\` has ${count} ports: at most 15 are allowed, a range counts as two`) : read(list)
  },
  write: list => [list.map(range => writeRange(range, ':')).join(',')],
  plain: () => PLAIN_PORT_LIST,
}

function readListedRange(part: string): Reading<NumberRange> {
  const colon = part.indexOf(':')
  const low = readPort(colon === -1 ? part : part.slice(0, colon))
  const high = colon === -1 ? low : readPort(part.slice(colon + 1))
  if (!low.ok) return low
  if (!high.ok) return high
  if (colon !== -1 && low.value >= high.value) return refuse(`the range \`${part}\` must end after it begins`)
  return read({ low: low.value, high: high.value })
}

/** Returns why a list of ports cannot stand here: it needs a protocol with ports before it, which has the services that it names. */
export function portsOfProtocol([word = '']: readonly string[], protocol: number | undefined): string | undefined {
  const name = protocol === undefined ? undefined : SERVICE_PROTOCOLS.get(protocol)
  if (protocol === undefined) return 'ports need `-p` with a protocol that has ports before them'
  const unknown = name === undefined ? undefined : word.split(/[,:]/).find(part => /^[a-z]/i.test(part) && servicePort(part, name) === undefined)
  return unknown === undefined ? undefined : `there is no ${name} service \`${unknown}\``
}

const SERVICE_PROTOCOLS = new Map<number, string>([[PROTOCOL.tcp, 'tcp'], [PROTOCOL.udp, 'udp'], [PROTOCOL.udplite, 'udplite'], [PROTOCOL.sctp, 'sctp'], [PROTOCOL.dccp, 'dccp']])

/** Tells whether every port is in the range: iptables-save leaves such an option out. */
export function isEveryPort(use: OptionUseOf<NumberRange>): boolean {
  return use.value.low === 0 && use.value.high === 65535
}

/** The port options of tcp and udp by their value types. */
export type Ports = { sport: NumberRange; dport: NumberRange }

/** Returns both port options as iptables-nft reads them back. Kernel: `! :9` becomes `10:65535`, `! :` is forgotten. Source: iptables/nft.c expr_gen_range_cmp16(). */
export function portsSavedByNft(infos: InfosOf<Ports>): InfosOf<Ports> {
  const sport = portSavedByNft(infos.sport)
  const dport = portSavedByNft(infos.dport)
  return { ...(sport ? { sport } : {}), ...(dport ? { dport } : {}) }
}

function portSavedByNft(use: OptionUseOf<NumberRange> | undefined): OptionUseOf<NumberRange> | undefined {
  if (!use?.inverted) return use
  const { low, high } = use.value
  if (isEveryPort(use)) return undefined
  return low === 0 && high > 0 ? { value: { low: high + 1, high: 65535 }, inverted: false } : use
}

/**
 * Kernel: iptables-nft 1.8.9 compares two single ports, both with `!`, as one 4-byte value: it matches unless both are equal.
 * Source: iptables/nft.c add_nft_tcpudp().
 */
export function joinedNegations({ sport, dport }: InfosOf<Ports>) {
  const isSingle = (use: OptionUseOf<NumberRange> | undefined): use is OptionUseOf<NumberRange> => use !== undefined && use.inverted && use.value.low === use.value.high && use.value.low !== 0
  if (!isSingle(sport) || !isSingle(dport)) return undefined
  const both = all([equals('l4.sport', sport.value.low), equals('l4.dport', dport.value.low)])
  return { options: ['sport', 'dport'], means: not(both) }
}
