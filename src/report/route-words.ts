/** Routing and connection tracking in words. */

import { CT_STATE, CT_STATUS } from '../meaning/fields.ts'
import { assertNever } from '../diagnostics/diagnostic.ts'
import { lengthOfMask, writeAddress, writePrefix } from '../net/address.ts'
import { writeEndpoint } from '../packet/endpoint.ts'
import type { ConnectionView, TupleView } from '../meaning/subject.ts'
import { MOST_LOOPS } from '../simulate/ip-path.ts'
import type { KernelReason, TraceEvent } from '../simulate/trace-events.ts'
import type { RouteDecision } from '../topology/fib.ts'

/** Returns what a route lookup found and what follows from it. */
export function routeInWords(decision: RouteDecision, why: Extract<TraceEvent, { kind: 'route' }>['why']): string {
  const target = writeAddress(decision.destination)
  const again = why === 'reroute' ? 'asked again: ' : ''
  const then = why === 'arrival' ? ', so it is forwarded' : ''
  switch (decision.kind) {
    case 'local':
      return `${again}${target} is an address of this host${decision.device === undefined ? '' : ` (${decision.device})`}, so it stays here`
    case 'unicast':
      return `${again}${wayInWords(decision, target)}${then}`
    case 'broadcast':
      return `${again}${target} is a broadcast address`
    case 'multicast':
      return `${again}${target} is a multicast address`
    case 'martian':
      return `${again}the addresses cannot be right here`
    case 'none':
      return `${again}there is no route to ${target}`
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
      return `${again}the route to ${target} is of the kind ${decision.kind}`
    default:
      return assertNever(decision.kind)
  }
}

function wayInWords(decision: RouteDecision, target: string): string {
  const { prefix, gateway, device } = decision
  const length = prefix === undefined ? undefined : lengthOfMask(prefix.mask)
  const what = prefix === undefined ? target : length === 0 ? 'the default route' : writePrefix(prefix)
  if (gateway !== undefined) return `${what} goes by ${device} via ${writeAddress(gateway)}`
  return length === 0 ? `${what} goes by ${device}` : `${what} is on ${device}`
}

/** Returns what connection tracking says of a packet. */
export function connectionInWords(ctState: number, connection: ConnectionView | undefined, why: string | undefined): string {
  const because = why === undefined ? '' : `: ${why}`
  if (ctState & CT_STATE.INVALID) return `not part of a valid connection (INVALID)${because}`
  if (ctState & CT_STATE.UNTRACKED) return `not tracked (UNTRACKED)${because}`
  const about = connection && connection.direction === 1 && connection.status & (CT_STATUS.SRC_NAT | CT_STATUS.DST_NAT) ? ` ${tupleInWords(connection.original)}` : ''
  if (ctState & CT_STATE.RELATED) return `related to a known connection${about}`
  if (ctState & CT_STATE.NEW) return 'new connection'
  return connection?.direction === 1 ? (about === '' ? 'reply in a known connection' : `reply in the connection${about}`) : 'known connection'
}

function tupleInWords({ src, dst, sport, dport }: TupleView): string {
  const end = (address: TupleView['src'], port: number | undefined) => writeEndpoint(port === undefined ? { address } : { address, port })
  return `${end(src, sport)} > ${end(dst, dport)}`
}

/** Why the kernel itself ended a packet's way, as the end of "Dropped by the kernel: ...". */
export const REASONS: Readonly<Record<KernelReason, string>> = {
  'no-route': 'there is no route to the destination',
  'blackhole-route': 'the route is a blackhole',
  'prohibit-route': 'the route prohibits it',
  'unreachable-route': 'the route says unreachable',
  'ttl-exceeded': 'the ttl is used up',
  'martian-source': 'the source address cannot be right here (martian source)',
  'martian-destination': 'the destination address cannot be right here (martian destination)',
  'reverse-path': 'the answer would not go back the same way (rp_filter)',
  'forwarding-off': 'the host does not forward (net.ipv4.ip_forward or its IPv6 kin is 0)',
  'not-unicast-frame': 'a unicast packet came in a broadcast or multicast frame',
  'not-for-this-host': 'the frame is addressed to another host',
  'too-big': 'it is larger than the MTU and must not be fragmented',
  'no-device': 'the device does not exist or is down',
  'nat-failed': 'no free address and port was left to translate it to',
  'confirm-clash': 'another packet took the same connection entry',
  'truncated-header': 'the transport header is cut short',
  'nothing-counted': 'no connection that connlimit counted is left, which the kernel takes for a failure',
  'fragment-waits': 'it is a fragment, and the rest has not come',
  'bridge-same-port': 'the bridge does not send a frame back by the port that it came from',
  'neighbour-unknown': 'nobody answers for the next address (no neighbour)',
  'no-output-route': 'the host has no route to send it',
  'no-listener': 'nothing listens on that port',
  'endless-loop': `it came in over lo ${MOST_LOOPS} times: it goes round without end`,
}
