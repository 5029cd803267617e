/** Services by name or by port, as questions about packets have them. */

import { all, always, any, equals, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import { PROTOCOL, protocolNumber } from '../net/protocol.ts'
import { servicePort } from '../net/services.ts'
import { KNOWN_SERVICES } from '../policy/known-services.ts'

/** `tcp/22`, `udp/53,67`, `tcp/1000-2000`, `icmp`; undefined for a word that is no service, a text where a port is wrong. */
export function readService(word: string): Predicate | string | undefined {
  const [name = '', ports] = word.split('/')
  const protocol = /^[a-z]/.test(name) ? protocolNumber(name) : undefined
  if (protocol === undefined || (ports === undefined && name.length < 2)) return undefined
  if (ports === undefined) return equals('ip.protocol', protocol)
  if (![PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp, PROTOCOL.dccp, PROTOCOL.udplite].some(one => one === protocol)) return `${name} has no ports`
  const ranges = ports.split(',').map(range => range.split('-').map(Number))
  if (ranges.some(([low, high = low]) => low === undefined || high === undefined || !(low >= 0 && low <= high && high <= 65535))) return `\`${ports}\` is no port or range of ports from 0 to 65535`
  const ofPorts = any(ranges.map(([low = 0, high = low]) => (low === high ? equals('l4.dport', low) : within('l4.dport', low, high))))
  return all([equals('ip.protocol', protocol), ofPorts.kind === 'never' ? always : ofPorts])
}

/** Returns `udp/53 tcp/53` for `dns`, `icmp` for `ping`; what is no name stays as it is. */
export function transportsOf(name: string): string {
  if (name === 'ping' || name === 'icmp' || name === 'icmpv6') return 'icmp'
  const known = KNOWN_SERVICES[name]
  if (known !== undefined || name.includes('/')) return known ?? name
  const ports = (['tcp', 'udp', 'sctp', 'dccp'] as const).flatMap(protocol => {
    const port = servicePort(name, protocol)
    return port === undefined ? [] : [`${protocol}/${port}`]
  })
  return ports.length === 0 ? name : ports.join(' ')
}

/** Returns the echo requests of a family. */
export function echoRequest(family: Family): Predicate {
  return family === 'ipv4' ? all([equals('ip.protocol', PROTOCOL.icmp), equals('icmp.type', 8)]) : all([equals('ip.protocol', PROTOCOL.icmpv6), equals('icmp6.type', 128)])
}

/** Returns the packets of a name: of the policy language, of /etc/services, or `ping`; undefined where there is no such service. */
export function readServiceName(name: string, family: Family): Predicate | undefined {
  const words = transportsOf(name.toLowerCase())
  if (words === 'icmp') return echoRequest(family)
  const parts = words === name.toLowerCase() ? [] : words.split(' ').map(readService)
  return parts.length === 0 ? undefined : any(parts.filter(part => part !== undefined && typeof part !== 'string'))
}
