/** Services such as `ssh`, `tcp/22` or `ping`: the packets with which a client begins to use them. */

import { didYouMean } from '../extensions/did-you-mean.ts'
import { all, any, equals, not, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { serviceNames } from '../net/services.ts'
import { KNOWN_SERVICES } from '../policy/known-services.ts'
import { echoRequest, readService, transportsOf } from './services.ts'

/** A service; `words` says its protocols and ports. */
export interface Service {
  readonly name: string
  readonly words: string
  readonly when: Predicate
}

/** The ports that Linux gives to clients. Source: net.ipv4.ip_local_port_range. */
const CLIENT_PORTS = within('l4.sport', 32768, 60999)

const WITH_PORTS = any([PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp, PROTOCOL.dccp, PROTOCOL.udplite].map(protocol => equals('ip.protocol', protocol)))

/** Reads a name of /etc/services, of the policy language, `ping`, or `tcp/22`, `udp/53,67`; a text is what is wrong with it. */
export function readNamedService(name: string, family: Family): Service | string {
  const words = transportsOf(name.toLowerCase())
  const parts = words.split(' ').map(word => (word === 'icmp' ? echoRequest(family) : (readService(word) ?? noService(name))))
  const wrong = parts.find(part => typeof part === 'string')
  if (wrong !== undefined) return wrong
  const when = any(parts.filter(part => typeof part !== 'string'))
  return { name, words: words === 'icmp' ? 'echo requests' : words, when: all([when, any([CLIENT_PORTS, not(WITH_PORTS)])]) }
}

function noService(name: string): string {
  const near = didYouMean(name, [...Object.keys(KNOWN_SERVICES), ...serviceNames()])
  return `\`${name}\` is no service${near === undefined ? ': write a name (`ssh`), or protocol and port (`tcp/22`)' : `: ${near}`}`
}
