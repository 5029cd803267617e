/** Where nat sends a packet: `address[-address][:port[-port[/base]]]`. Source: extensions/libxt_NAT.c parse_to(), parse_ports(). */

import { familyOf, readAddress, writeAddress } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { AddressRange, NumberRange } from '../net/ranges.ts'
import { servicePort } from '../net/services.ts'
import type { Effect } from '../meaning/effect.ts'
import { readAddressRange } from './address-types.ts'
import { read, refuse } from './extension.ts'
import type { InfosOf, OptionType, Reading, Surroundings } from './extension.ts'
import { readWholeNumber, writeRange } from './option-types.ts'
import { PLAIN_NAT_ADDRESS } from './plain-values.ts'

/** Ports that nat may take; with `base` the new port is low + (old - base). */
export type NatPorts = NumberRange & { readonly base?: number }

/** New addresses and ports; what is absent stays as it is. */
export interface NatRange {
  readonly addresses?: AddressRange
  readonly ports?: NatPorts
}

/** The options of the nat targets by their value types. */
export type NatOptions = { random: true; 'random-fully': true; persistent: true }

/** Addresses and ports, IPv6 addresses with ports in brackets. */
export const natRange: OptionType<NatRange> = {
  syntax: '[address[-address]][:port[-port[/base]]]', words: 1,
  read: ([word = ''], family) => readNatRange(word, family),
  write: range => [writeNatRange(range)],
  plain: family => (family === 'ipv4' ? PLAIN_NAT_ADDRESS : []),
}

/** The same for SNAT. Kernel: it forgets the base of shifted ports, which becomes 0. */
export const sourceRange: OptionType<NatRange> = {
  ...natRange, syntax: '[address[-address]][:port[-port]]',
  read([word = ''], family) {
    const range = readNatRange(word, family)
    if (!range.ok || range.value.ports?.base === undefined) return range
    return read({ ...range.value, ports: { ...range.value.ports, base: 0 } }, FORGOTTEN_BASE)
  },
}

/** Ports of MASQUERADE: `port[-port]`. Kernel: the base of shifted ports becomes 0. */
export const masqueradePorts: OptionType<NatPorts> = {
  syntax: 'port[-port]', words: 1,
  read([word = '']) {
    const ports = readNatPorts(word)
    return ports.ok && ports.value.base !== undefined ? read({ ...ports.value, base: 0 }, FORGOTTEN_BASE) : ports
  },
  write: ports => [writeNatPorts(ports)],
}

/** Ports of REDIRECT: `port[-port]`. */
export const redirectPorts: OptionType<NatPorts> = {
  ...masqueradePorts,
  read([word = '']) {
    const ports = readNatPorts(word)
    return ports.ok && ports.value.base !== undefined ? refuse(`shifted ports such as \`${word}\` are for DNAT only`) : ports
  },
}

const FORGOTTEN_BASE = 'the base of the shifted ports is forgotten: only DNAT keeps it'

/** Returns why an option with ports cannot stand before `-p`. */
export function portsAfterProtocol(words: readonly string[], protocol: number | undefined): string | undefined {
  const hasPorts = protocol === undefined && /^(\[.*\])?[^:]*:[^:]*$|^[^:.]*$/.test(words[0] ?? '')
  return hasPorts ? 'ports need `-p` with a protocol that has ports before them' : undefined
}

/** Returns why ports cannot be given here: they need a protocol that has some. */
export function portsNeedProtocol(ports: NatPorts | undefined, { protocol }: Surroundings): string | undefined {
  if (!ports || (protocol && PORT_PROTOCOLS.has(protocol.number))) return undefined
  return 'ports need `-p` with a protocol that has ports: tcp, udp, sctp or dccp'
}

const PORT_PROTOCOLS = new Set<number>([PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp, PROTOCOL.dccp, PROTOCOL.icmp])

/** Returns the part of a nat effect that the flags say. */
export function natFlags(infos: InfosOf<Partial<NatOptions>>): Pick<Extract<Effect, { kind: 'nat' }>, 'random' | 'persistent'> {
  return {
    ...(infos.random || infos['random-fully'] ? { random: true } : {}),
    ...(infos.persistent ? { persistent: true } : {}),
  }
}

function readNatRange(word: string, family: Family): Reading<NatRange> {
  const { addressWord, portWord } = splitPorts(word, family)
  if (addressWord.includes('[') || addressWord.includes(']')) return refuse(`\`${word}\` is not an address with port`, family === 'ipv6' ? 'write [address]:port' : undefined)
  const ports = portWord === undefined ? undefined : readNatPorts(portWord)
  if (ports && !ports.ok) return ports
  // Kernel: 1.8.9 takes any two characters before the colon for empty brackets.
  if (ports && addressWord.length === 2) return read({ ports: ports.value }, `\`${addressWord}\` before the port is forgotten`)
  const addresses = addressWord === '' && ports ? undefined : readAddressRange(addressWord, family, readPlainAddress)
  if (addresses && !addresses.ok) return addresses
  return read({ ...(addresses ? { addresses: addresses.value } : {}), ...(ports ? { ports: ports.value } : {}) })
}

/** Kernel: nat takes only whole addresses, as inet_pton(3) reads them. */
function readPlainAddress(word: string, family: Family): Address | undefined {
  const address = readAddress(word)
  return address !== undefined && familyOf(address) === family ? address : undefined
}

/** One colon without brackets begins the ports; several are an IPv6 address. */
function splitPorts(word: string, family: Family): { addressWord: string; portWord: string | undefined } {
  const bracketed = family === 'ipv6' ? /^\[([^\]]*)\](?::(.*))?$/.exec(word) : null
  if (bracketed) return { addressWord: bracketed[1] ?? '', portWord: bracketed[2] }
  const colon = word.indexOf(':')
  if (colon === -1 || word.includes(':', colon + 1)) return { addressWord: word, portWord: undefined }
  return { addressWord: word.slice(0, colon), portWord: word.slice(colon + 1) }
}

function readNatPorts(word: string): Reading<NatPorts> {
  const named = servicePort(word)
  if (named !== undefined) return read({ low: named, high: named })
  const [range = '', baseWord, ...more] = word.split('/')
  const [lowWord = '', highWord, ...others] = range.split('-')
  const low = readWholeNumber(lowWord, 0, 65535)
  const high = highWord === undefined ? low : readWholeNumber(highWord, 0, 65535)
  if (!low.ok || !high.ok || more.length > 0 || others.length > 0 || (baseWord !== undefined && highWord === undefined)) return refuse(`\`${word}\` is not a port or range of ports`, 'write port or port-port, up to 65535; service names cannot be in a range')
  if (high.value < low.value) return refuse(`the port range \`${word}\` ends before it begins`)
  if (baseWord === undefined) return read({ low: low.value, high: high.value })
  const base = servicePort(baseWord) ?? readWholeNumber(baseWord, 1, 65535)
  if (typeof base === 'object' && !base.ok) return refuse(`\`${baseWord}\` is not a base port`)
  return read({ low: low.value, high: high.value, base: typeof base === 'number' ? base : base.value })
}

function writeNatRange({ addresses, ports }: NatRange): string {
  const address = addresses ? (addresses.low === addresses.high ? writeAddress(addresses.low) : `${writeAddress(addresses.low)}-${writeAddress(addresses.high)}`) : ''
  if (!ports) return address
  return `${address.includes(':') ? `[${address}]` : address}:${writeNatPorts(ports)}`
}

function writeNatPorts(ports: NatPorts): string {
  return `${writeRange(ports, '-')}${ports.base === undefined ? '' : `/${ports.base}`}`
}
