/** What the kernel sets of a topology mean, as predicates. The mirror of the simulator's ipsets.ts. */

import { all, always, any, equals, masked, never, not, onDevice, opaque, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { lengthOfMask, readAddress, readPrefix } from '../net/address.ts'
import { PROTOCOL, protocolNumber } from '../net/protocol.ts'
import type { Ipset, IpsetEntry } from '../topology/topology.ts'

type IpsetUse = Extract<Predicate, { kind: 'ipset' }>

/** Parts of entries that say something about a packet. */
const PARTS: readonly string[] = ['ip', 'net', 'port', 'mark', 'mac', 'iface']

/** Returns when a set matches; undefined where its content is not known or its type is not modelled. */
export function ipsetMeaning(ipsets: readonly Ipset[], use: IpsetUse, family: 'ipv4' | 'ipv6' | undefined = undefined): Predicate | undefined {
  const set = ipsets.find(({ name }) => name === use.name)
  if (!set) return undefined
  return set.type === 'list:set' ? listMeaning(ipsets, set, use, family) : plainMeaning(set, use, family)
}

function listMeaning(ipsets: readonly Ipset[], set: Ipset, use: IpsetUse, family: 'ipv4' | 'ipv6' | undefined): Predicate {
  const key = `ipset ${use.name} ${use.directions.join(',')}`
  return any(set.entries.map(entry => ipsetMeaning(ipsets.filter(({ name }) => name !== use.name), { ...use, name: entry.text, flags: [] }, family) ?? opaque(key, key)))
}

/** The longest entry that fits decides; of equals the first. */
function plainMeaning(set: Ipset, { directions, flags }: IpsetUse, family: 'ipv4' | 'ipv6' | undefined): Predicate | undefined {
  const isBitmap = set.type.startsWith('bitmap:')
  const parts = (set.type.split(':')[1] ?? '').split(',')
  if (!parts.every(part => PARTS.includes(part))) return undefined
  const hasAddress = parts.includes('ip') || parts.includes('net')
  if (hasAddress && family !== undefined && family !== (isBitmap || set.family === 'inet' ? 'ipv4' : 'ipv6')) return never
  const meanings = set.entries.map(entry => ({ entry, when: entryMeaning(entry, parts, isBitmap, directions) }))
  if (!set.entries.some(({ nomatch }) => nomatch)) return any(meanings.map(({ when }) => when))
  const ordered = meanings.toSorted((one, other) => prefixLengths(other.entry) - prefixLengths(one.entry))
  return ordered.reduceRight<Predicate>((rest, { entry, when }) => (entry.nomatch && !flags.includes('return-nomatch') ? all([not(when), rest]) : any([when, rest])), never)
}

function entryMeaning(entry: IpsetEntry, parts: readonly string[], isBitmap: boolean, directions: readonly ('src' | 'dst')[]): Predicate {
  const values = entry.text.split(',')
  return all(parts.map((part, index) => partMeaning(part, values[index] ?? '', directions[index], isBitmap)))
}

function partMeaning(part: string, value: string, direction: 'src' | 'dst' | undefined, isBitmap: boolean): Predicate {
  if (part === 'mark') return Number.isNaN(Number(value)) ? never : equals('mark', Number(value))
  if (direction === undefined) return never
  switch (part) {
    case 'ip':
    case 'net':
      return addressMeaning(value, direction === 'src' ? 'ip.src' : 'ip.dst')
    case 'port':
      return portMeaning(value, direction === 'src' ? 'l4.sport' : 'l4.dport', isBitmap)
    case 'mac':
      return equals('mac.src', BigInt(`0x${value.replaceAll(':', '')}`))
    default:
      return onDevice(direction === 'src' ? 'device.in' : 'device.out', { name: value, prefix: false })
  }
}

function addressMeaning(text: string, field: 'ip.src' | 'ip.dst'): Predicate {
  const [low, high] = text.includes('-') ? text.split('-').map(readAddress) : []
  if (low !== undefined && high !== undefined) return within(field, low, high)
  const prefix = readPrefix(text)
  return prefix ? masked(field, prefix.mask, prefix.address) : never
}

/** Protocols without ports have 0; ICMP has its type and code. Source: ip_set_getport.c. */
function portMeaning(text: string, field: 'l4.sport' | 'l4.dport', isBitmap: boolean): Predicate {
  const [first = '', second] = text.split(':')
  const [low, high = low] = (second ?? first).split('-').map(Number)
  if (low === undefined || high === undefined || Number.isNaN(low) || Number.isNaN(high)) return never
  if (isBitmap) return all([any([equals('ip.protocol', PROTOCOL.tcp), equals('ip.protocol', PROTOCOL.udp)]), within(field, low, high)])
  const protocol = second === undefined ? PROTOCOL.tcp : (protocolNumber(first) ?? Number(first))
  if (Number.isNaN(protocol)) return never
  if (protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6) return all([equals('ip.protocol', protocol), icmpWithin(protocol === PROTOCOL.icmp ? 'icmp' : 'icmp6', low, high)])
  const withPorts: readonly number[] = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite, PROTOCOL.sctp, PROTOCOL.dccp]
  return all([equals('ip.protocol', protocol), withPorts.includes(protocol) ? within(field, low, high) : low === 0 ? always : never])
}

function icmpWithin(kind: 'icmp' | 'icmp6', low: number, high: number): Predicate {
  const types = Array.from({ length: (high >> 8) - (low >> 8) + 1 }, (_, index) => (low >> 8) + index)
  return any(types.map(type => all([equals(`${kind}.type`, type), within(`${kind}.code`, type === low >> 8 ? low & 255 : 0, type === high >> 8 ? high & 255 : 255)])))
}

function prefixLengths(entry: IpsetEntry): number {
  return entry.text.split(',').reduce((sum, part) => {
    const prefix = part.includes('.') || part.includes('::') ? readPrefix(part) : undefined
    return sum + (prefix ? (lengthOfMask(prefix.mask) ?? 0) : 0)
  }, 0)
}
