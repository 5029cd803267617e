/** Whether a packet is in a kernel set, and how a rule puts it in or takes it out. Source: net/netfilter/ipset/ip_set_hash_*.c, ip_set_bitmap_*.c, ip_set_list_set.c. */

import type { Ternary } from '../meaning/subject.ts'
import { familyOf, lengthOfMask, prefixIncludes, readAddress, readPrefix, writeAddress } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { PROTOCOL, protocolNumber } from '../net/protocol.ts'
import type { Packet } from '../packet/packet.ts'
import type { Ipset, IpsetEntry } from '../topology/topology.ts'

/** The packet that is looked up. */
export interface IpsetQuestion {
  readonly packet: Packet
  readonly inDevice: string
  readonly outDevice: string
  readonly decide: (key: string) => Ternary
}

/** The sets of a namespace by name. */
type Ipsets = ReadonlyMap<string, Ipset>

/** Looks the packet up in a set; undefined where the set is not declared or of a type that is not modelled. */
export function matchesIpset(asked: IpsetQuestion, ipsets: Ipsets, name: string, directions: readonly ('src' | 'dst')[], flags: readonly string[]): Ternary {
  const set = ipsets.get(name)
  const found = set ? lookup(asked, ipsets, set, directions) : undefined
  if (found === undefined) return asked.decide(ipsetKey(name, directions))
  return found === 'nomatch' ? flags.includes('return-nomatch') : found
}

/** Returns the name of the free variable that stands for a set whose content is not known. */
export function ipsetKey(name: string, directions: readonly ('src' | 'dst')[]): string {
  return `ipset ${name} ${directions.join(',')}`
}

/**
 * Returns the set with the packet's entry added or deleted; the same where the packet has nothing for it, undefined where the set's
 * type is not modelled (networks, devices, lists) or a wider entry than the packet's would be split. Timeouts are not modelled.
 */
export function changeIpset(asked: IpsetQuestion, set: Ipset, directions: readonly ('src' | 'dst')[], change: 'add' | 'delete'): Ipset | undefined {
  const parts = (set.type.split(':')[1] ?? '').split(',')
  const isBitmap = set.type.startsWith('bitmap:')
  if (!parts.every(part => ['ip', 'port', 'mark', 'mac'].includes(part))) return undefined
  const values = parts.map((part, index) => valueFor(part, directions[index], asked.packet, isBitmap))
  const hasAddress = parts.includes('ip')
  if (values.includes(undefined) || (hasAddress && asked.packet.family !== (set.family === 'inet' ? 'ipv4' : 'ipv6'))) return set
  const same = set.entries.filter(entry => entryMatches(asked, entry, { parts, isBitmap }, directions))
  if (change === 'add') return same.length > 0 ? set : { ...set, entries: [...set.entries, { text: values.join(','), nomatch: false }] }
  return same.some(entry => /[-/]/.test(entry.text)) ? undefined : { ...set, entries: set.entries.filter(entry => !same.includes(entry)) }
}

/** The part of an entry that a packet makes; undefined where it has none. */
function valueFor(part: string, direction: 'src' | 'dst' | undefined, packet: Packet, isBitmap: boolean): string | undefined {
  if (part === 'mark') return String(packet.mark)
  if (direction === undefined) return undefined
  if (part === 'mac') return packet.macSource
  if (part === 'ip') return writeAddress(direction === 'src' ? packet.src : packet.dst)
  const port = (direction === 'src' ? packet.sport : packet.dport) ?? (packet.icmp ? packet.icmp.type * 256 + packet.icmp.code : 0)
  if (!isBitmap) return `${packet.protocol}:${port}`
  return packet.protocol === PROTOCOL.tcp || packet.protocol === PROTOCOL.udp ? String(port) : undefined
}

type Found = boolean | undefined | 'nomatch'

function lookup(asked: IpsetQuestion, ipsets: Ipsets, set: Ipset, directions: readonly ('src' | 'dst')[]): Found {
  const { packet } = asked
  if (set.type === 'list:set') return lookupList(asked, ipsets, set, directions)
  const family = set.family === 'inet' ? 'ipv4' : 'ipv6'
  const isBitmap = set.type.startsWith('bitmap:')
  const parts = (set.type.split(':')[1] ?? '').split(',')
  const hasAddress = parts.some(part => part === 'ip' || part === 'net')
  if (hasAddress && packet.family !== (isBitmap ? 'ipv4' : family)) return false
  if (!parts.every(part => ['ip', 'net', 'port', 'mark', 'mac', 'iface'].includes(part))) return undefined
  const matching = set.entries.filter(entry => entryMatches(asked, entry, { parts, isBitmap }, directions))
  const best = matching.reduce<IpsetEntry | undefined>((most, entry) => (!most || prefixLengths(entry) > prefixLengths(most) ? entry : most), undefined)
  return best ? (best.nomatch ? 'nomatch' : true) : false
}

function lookupList(asked: IpsetQuestion, ipsets: Ipsets, set: Ipset, directions: readonly ('src' | 'dst')[]): Found {
  let result: Found = false
  for (const entry of set.entries) {
    const member = ipsets.get(entry.text)
    const found = member ? lookup(asked, ipsets, member, directions) : undefined
    if (found === true) return true
    if (found === undefined) result = undefined
  }
  return result
}

function entryMatches(asked: IpsetQuestion, entry: IpsetEntry, { parts, isBitmap }: { readonly parts: readonly string[]; readonly isBitmap: boolean }, directions: readonly ('src' | 'dst')[]): boolean {
  const values = entry.text.split(',')
  return parts.every((part, index) => {
    const value = values[index] ?? ''
    const direction = directions[index]
    if (part === 'mark') return Number(value) === asked.packet.mark
    if (direction === undefined) return false
    switch (part) {
      case 'ip':
      case 'net':
        return addressIsIn(value, direction === 'src' ? asked.packet.src : asked.packet.dst)
      case 'port':
        return portIsIn(value, direction, asked.packet, isBitmap)
      case 'mac':
        return asked.packet.macSource === value.replaceAll(':', '').toLowerCase()
      default:
        return value === (direction === 'src' ? asked.inDevice : asked.outDevice)
    }
  })
}

function addressIsIn(text: string, address: Address): boolean {
  const [low, high] = text.includes('-') ? text.split('-') : []
  if (low !== undefined && high !== undefined) {
    const first = readAddress(low)
    const last = readAddress(high)
    return first !== undefined && last !== undefined && familyOf(first) === familyOf(address) && first <= address && address <= last
  }
  const prefix = readPrefix(text)
  return prefix !== undefined && prefixIncludes(prefix, address)
}

/**
 * `80`, `udp:53`, `tcp:1-1023`, `47:0`. Kernel: a bitmap holds the ports of tcp and udp only; a hash says the protocol, tcp where it
 * is not written, and protocols without ports have 0. Source: ip_set_getport.c.
 */
function portIsIn(text: string, direction: 'src' | 'dst', packet: Packet, isBitmap: boolean): boolean {
  const [first = '', second] = text.split(':')
  const [low, high] = (second ?? first).split('-').map(Number)
  const value = (direction === 'src' ? packet.sport : packet.dport) ?? (packet.icmp ? packet.icmp.type * 256 + packet.icmp.code : 0)
  if (low === undefined || Number.isNaN(low) || value < low || value > (high ?? low)) return false
  if (isBitmap) return packet.protocol === PROTOCOL.tcp || packet.protocol === PROTOCOL.udp
  return (second === undefined ? PROTOCOL.tcp : (protocolNumber(first) ?? Number(first))) === packet.protocol
}

function prefixLengths(entry: IpsetEntry): number {
  return entry.text.split(',').reduce((sum, part) => {
    const prefix = part.includes('.') || part.includes('::') ? readPrefix(part) : undefined
    return sum + (prefix ? (lengthOfMask(prefix.mask) ?? 0) : 0)
  }, 0)
}
