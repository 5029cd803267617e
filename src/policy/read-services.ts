/** Services -> traffic: names, protocols with ports, ICMP messages, and what is left after `except`. */

import { didYouMean } from '../extensions/did-you-mean.ts'
import type { Family } from '../net/address.ts'
import { PROTOCOL, protocolNames, protocolNumber } from '../net/protocol.ts'
import { serviceNames, servicePort } from '../net/services.ts'
import { icmpNames, icmpTypeOfName } from '../packet/icmp-names.ts'
import type { PortNode, ServiceNode, ServicesNode } from './ast.ts'
import { KNOWN_SERVICES } from './known-services.ts'
import type { Complain } from './complain.ts'
import { joinPorts, subtractPorts } from './port-sets.ts'
import type { IcmpMessage, Traffic } from './resolved.ts'

const BOTH: readonly Family[] = ['ipv4', 'ipv6']
const NOTHING: readonly Traffic[] = []
const PORT_NAMES: Readonly<Record<string, string>> = { tcp: 'tcp', udp: 'udp', sctp: 'sctp', dccp: 'dccp', udplite: 'udp' }
const PORT_PROTOCOLS: ReadonlySet<number> = new Set([PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp, PROTOCOL.dccp, PROTOCOL.udplite])

/** Looks a list of services up; undefined where the name is no such list. */
export type ServiceList = (name: string) => readonly ServiceNode[] | undefined

/** Returns the traffic of services, those left out taken away; undefined where one is wrong. */
export function readServices(node: ServicesNode, lists: ServiceList, complain: Complain): readonly Traffic[] | undefined {
  const read = readServicesApart(node, lists, complain)
  if (!read) return undefined
  if (read.published.length === 0) return read.traffic
  complain('bad-service', node.span, 'what is published can be left out in tests only', 'write a `deny published ...` before this sentence')
  return undefined
}

/** The same for assertions, which may leave out what is published: that is not taken away, but told apart. */
export function readServicesApart(node: ServicesNode, lists: ServiceList, complain: Complain): { readonly traffic: readonly Traffic[]; readonly published: readonly Traffic[] } | undefined {
  const only = node.included[0]
  if (only && node.included.length === 1 && node.excluded.length === 0) {
    const traffic = readService(only, lists, complain)
    return traffic && { traffic: mergeTraffic(traffic), published: NOTHING }
  }
  const included = readAll(node.included, lists, complain)
  const excluded = readAll(node.excluded, lists, complain)
  if (!included || !excluded) return undefined
  const published = excluded.filter(one => one.published)
  const left = excluded.filter(one => !one.published).reduce(takeAway, mergeTraffic(included))
  if (left.length > 0) return { traffic: left, published }
  complain('empty-match', node.span, 'no service is left: everything is excepted again')
  return undefined
}

/** Returns traffic with the ports of one protocol joined, in the order of first appearance. */
export function mergeTraffic(list: readonly Traffic[]): readonly Traffic[] {
  if (list.length < 2) return list
  const merged: Traffic[] = []
  for (const one of list) {
    const place = merged.findIndex(other => isAlike(other, one))
    const other = merged[place]
    if (!other) merged.push(one)
    else if (other.ports && one.ports) merged[place] = { ...other, ports: joinPorts([...other.ports, ...one.ports]) }
    else if (other.messages && one.messages) merged[place] = { ...other, messages: uniqueMessages([...other.messages, ...one.messages]) }
    else {
      const { ports: _ports, messages: _messages, ...all } = other
      merged[place] = all
    }
  }
  return merged
}

function isAlike(one: Traffic, other: Traffic): boolean {
  return one.protocol === other.protocol && one.published === other.published && one.comesRelated === other.comesRelated && one.onLink === other.onLink && one.families.join() === other.families.join()
}

function uniqueMessages(messages: readonly IcmpMessage[]): readonly IcmpMessage[] {
  return messages.filter((one, index) => messages.findIndex(other => other.type === one.type && other.low === one.low && other.high === one.high) === index)
}

function readAll(nodes: readonly ServiceNode[], lists: ServiceList, complain: Complain): readonly Traffic[] | undefined {
  const read = nodes.map(node => readService(node, lists, complain))
  return read.every(one => one !== undefined) ? read.flat() : undefined
}

function takeAway(from: readonly Traffic[], excepted: Traffic): readonly Traffic[] {
  return from.flatMap(one => {
    if (one.protocol !== excepted.protocol) return [one]
    if (one.messages) {
      const messages = excepted.messages ? one.messages.filter(message => !excepted.messages?.some(other => other.type === message.type)) : []
      return messages.length === 0 ? [] : [{ ...one, messages }]
    }
    if (!excepted.ports) return excepted.messages ? [one] : []
    const ports = subtractPorts(one.ports ?? [{ low: 0, high: 65535 }], excepted.ports)
    return ports.length === 0 ? [] : [{ ...one, ports }]
  })
}

function readService(node: ServiceNode, lists: ServiceList, complain: Complain): readonly Traffic[] | undefined {
  const name = node.name.text
  const list = node.low ? undefined : lists(name)
  const read = list ? readAll(list, () => undefined, complain) : readNamed(node, name, complain)
  if (!read || !node.published) return read
  const dialled = read.map(one => ({ ...one, published: true }))
  if (dialled.every(one => PORT_PROTOCOLS.has(one.protocol))) return dialled
  complain('bad-service', node.span, `\`${name}\` cannot be published: it has no ports`)
  return undefined
}

function readNamed(node: ServiceNode, name: string, complain: Complain): readonly Traffic[] | undefined {
  if (name === 'icmp' || name === 'icmpv6') return readIcmp(node, name, complain)
  const protocol = protocolNumber(name)
  if (protocol !== undefined && (node.low || PORT_PROTOCOLS.has(protocol) || !KNOWN_SERVICES[name])) return readProtocol(node, protocol, complain)
  if (node.low) {
    complain('unknown-name', node.name.span, `there is no protocol \`${name}\``, didYouMean(name, protocolNames()))
    return undefined
  }
  const known = knownService(name)
  if (known) return known
  const candidates = [...Object.keys(KNOWN_SERVICES), 'ping', 'icmp-essentials', ...protocolNames(), ...serviceNames()]
  complain('unknown-name', node.name.span, `there is no service \`${name}\``, didYouMean(name, candidates) ?? 'write it with its protocol and port, such as tcp/8080')
  return undefined
}

const knownTraffic = new Map<string, readonly Traffic[] | undefined>()

function knownService(name: string): readonly Traffic[] | undefined {
  if (!knownTraffic.has(name)) knownTraffic.set(name, lookUp(name))
  return knownTraffic.get(name)
}

function lookUp(name: string): readonly Traffic[] | undefined {
  if (name === 'ping') return [icmpOf('ipv4', [anyCode(8)]), icmpOf('ipv6', [anyCode(128)])]
  if (name === 'icmp-essentials') return ESSENTIALS
  const words = Object.hasOwn(KNOWN_SERVICES, name) ? KNOWN_SERVICES[name] : registered(name)
  if (words === undefined) return undefined
  return mergeTraffic(words.split(' ').map(word => {
    const [protocol = '', ports] = word.split('/')
    const [low = 0, high = low] = (ports ?? '').split('-').map(Number)
    return { ...plain(protocolNumber(protocol) ?? 0), ...(ports === undefined ? {} : { ports: [{ low, high }] }) }
  }))
}

function registered(name: string): string | undefined {
  const found = ['tcp', 'udp', 'sctp', 'dccp'].flatMap(protocol => {
    const port = servicePort(name, protocol)
    return port === undefined ? [] : [`${protocol}/${port}`]
  })
  return found.length === 0 ? undefined : found.join(' ')
}

function plain(protocol: number): Traffic {
  return { families: BOTH, protocol, published: false, comesRelated: false, onLink: false }
}

function icmpOf(family: Family, messages: readonly IcmpMessage[] | undefined): Traffic {
  return { ...plain(family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6), families: [family], ...(messages ? { messages } : {}) }
}

function anyCode(type: number): IcmpMessage {
  return { type, low: 0, high: 255 }
}

/**
 * What IP itself needs. Errors (too big and fragmentation needed among them) come as RELATED with the connection that they speak of, and
 * any other is INVALID: they need no rule. Neighbour and router discovery and multicast listeners are untracked and do.
 * Source: RFC 4890 4.3, 4.4; net/netfilter/nf_conntrack_proto_icmp.c nf_conntrack_icmpv4_error(), nf_conntrack_proto_icmpv6.c noct_valid_new[].
 */
const ESSENTIALS: readonly Traffic[] = [
  { ...icmpOf('ipv4', [3, 11, 12].map(anyCode)), comesRelated: true },
  { ...icmpOf('ipv6', [1, 2, 3, 4].map(anyCode)), comesRelated: true },
  { ...icmpOf('ipv6', [133, 134, 135, 136, 130, 131, 132, 143].map(anyCode)), onLink: true },
]

/** Types of multicast listener messages to routers. */
export const LISTENER_REPORTS: readonly number[] = [131, 132, 143]

/** Types of multicast listener messages from routers. */
export const LISTENER_QUERIES: readonly number[] = [130]

function readProtocol(node: ServiceNode, protocol: number, complain: Complain): readonly Traffic[] | undefined {
  const header = HEADER_MATCHES.get(node.name.text.toLowerCase())
  if (header !== undefined) {
    complain('bad-service', node.span, `\`${node.name.text}\` is a header that rules of IPv6 look behind, not a protocol`, `iptables has a match for it: raw ipv6 filter INPUT first \`-m ${header} -j DROP\``)
    return undefined
  }
  if (protocol === PROTOCOL.all) {
    complain('bad-service', node.span, `\`${node.name.text}\` is no service: it would be every packet`, 'leave it out: without services a sentence speaks of all packets')
    return undefined
  }
  if (!node.low) return [plain(protocol)]
  if (!PORT_PROTOCOLS.has(protocol)) {
    complain('bad-service', node.span, `\`${node.name.text}\` has no ports`, 'write the protocol alone')
    return undefined
  }
  const low = readPortNode(node.low, node.name.text, complain)
  const high = node.high ? readPortNode(node.high, node.name.text, complain) : low
  if (low === undefined || high === undefined) return undefined
  if (low > high) {
    complain('bad-service', node.span, `the range of ports ends before it begins`)
    return undefined
  }
  return portTraffic(protocol, low, high)
}

/** Kernel: `-p` never holds of these. Source: net/ipv6/exthdrs_core.c ipv6_find_hdr(). The authentication header has a match that says the same as a protocol. */
const HEADER_MATCHES: ReadonlyMap<string, string> = new Map([['hopopt', 'hbh'], ['ipv6-route', 'rt'], ['ipv6-frag', 'frag'], ['ipv6-opts', 'dst']])

const knownPorts = new Map<number, readonly Traffic[]>()

/** One port of a protocol is often named again: equal traffic is one object. */
function portTraffic(protocol: number, low: number, high: number): readonly Traffic[] {
  if (low !== high) return [{ ...plain(protocol), ports: [{ low, high }] }]
  const key = protocol * 65536 + low
  const known = knownPorts.get(key)
  if (known) return known
  const made = [{ ...plain(protocol), ports: [{ low, high }] }]
  knownPorts.set(key, made)
  return made
}

/** Returns a port by number or name of a service; undefined where it is none. */
export function readPortNode(node: PortNode, protocol: string | undefined, complain: Complain): number | undefined {
  const { text, span } = node
  const named = /^\d+$/.test(text) ? undefined : (knownPort(text) ?? servicePort(text, protocol === undefined ? undefined : PORT_NAMES[protocol]))
  const port = named ?? Number(text)
  if (named === undefined && !/^\d+$/.test(text)) complain('unknown-name', span, `there is no service \`${text}\``, didYouMean(text, [...Object.keys(KNOWN_SERVICES), ...serviceNames()]))
  else if (port > 65535) complain('bad-service', span, `port \`${text}\` is above 65535`)
  else if (port === 0) complain('bad-service', span, 'port `0` is no port that can be dialled')
  else return port
  return undefined
}

function knownPort(name: string): number | undefined {
  const words = Object.hasOwn(KNOWN_SERVICES, name) ? (KNOWN_SERVICES[name] ?? '').split(' ') : []
  const ports = new Set(words.map(word => word.split('/')[1]))
  const [only] = ports
  return ports.size === 1 && only !== undefined && !only.includes('-') ? Number(only) : undefined
}

function readIcmp(node: ServiceNode, name: 'icmp' | 'icmpv6', complain: Complain): readonly Traffic[] | undefined {
  const { low } = node
  if (!low) return name === 'icmp' ? [icmpOf('ipv4', undefined), icmpOf('ipv6', undefined)] : [icmpOf('ipv6', undefined)]
  if (node.high) {
    complain('bad-service', node.span, 'ICMP messages have no ranges', 'name them one by one, separated by commas')
    return undefined
  }
  const families: readonly Family[] = name === 'icmpv6' ? ['ipv6'] : /^\d+$/.test(low.text) ? ['ipv4'] : BOTH
  const found = families.flatMap(family => {
    const message = messageOf(low.text, family)
    return message ? [{ ...icmpOf(family, [message]), comesRelated: isError(message.type, family) }] : []
  })
  if (found.length > 0) return found
  const names = families.flatMap(family => icmpNames(family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6))
  complain('unknown-name', low.span, `there is no ${name === 'icmp' ? 'ICMP' : 'ICMPv6'} message \`${low.text}\``, didYouMean(low.text, names) ?? 'write its type as a number up to 255')
  return undefined
}

function messageOf(text: string, family: Family): IcmpMessage | undefined {
  if (/^\d+$/.test(text)) return Number(text) <= 255 ? anyCode(Number(text)) : undefined
  const whole = WHOLE_TYPES[family][text]
  if (whole !== undefined) return anyCode(whole)
  const found = icmpTypeOfName(text, family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6)
  return found && { type: found.type, low: found.code, high: found.code }
}

const WHOLE_TYPES: Readonly<Record<Family, Readonly<Record<string, number>>>> = {
  ipv4: { 'destination-unreachable': 3, redirect: 5, 'time-exceeded': 11, 'parameter-problem': 12 },
  ipv6: { 'destination-unreachable': 1, 'packet-too-big': 2, 'time-exceeded': 3, 'parameter-problem': 4 },
}

function isError(type: number, family: Family): boolean {
  return family === 'ipv4' ? [3, 4, 5, 11, 12].includes(type) : type < 128
}
