/** What kube-proxy writes whatever the services are. Source: kubernetes pkg/proxy/iptables/proxier.go syncProxyRules(). */

import { commented, header, hideAtRandom, hideBehind, host, inStates, jumpTo, loopbackPrefix, marked, not, ofConnections, setMark, toLocal, unmarked, verdict } from '../draft/rule-parts.ts'
import { flushChain, inFilter, inNat, insert, makeChain, restore } from '../draft/step.ts'
import type { ChainPlace, Step } from '../draft/step.ts'
import type { MatchUse } from '../ir/ruleset.ts'
import { CT_STATE } from '../meaning/fields.ts'
import { familyOf, isUnspecified, prefixIncludes } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import type { ProxyOptions } from './model.ts'
import { CHAIN } from './names.ts'

/** Whom rules serve that belong to no service. */
export const PROXY = 'kube-proxy'

/** Counters that kube-proxy shows as metrics. */
export const NFACCT = { invalid: 'ct_state_invalid_dropped_pkts', localhost: 'localhost_nps_accepted_pkts' } as const

const isNew = inStates(CT_STATE.NEW)

/** Jumps in the order in which kube-proxy sees to them: each is put on top, where it is absent. */
const JUMPS: readonly { readonly from: ChainPlace; readonly to: string; readonly matches: readonly MatchUse[]; readonly reason: string }[] = [
  ...(['INPUT', 'FORWARD'] as const).map(hook => ({ from: inFilter(hook), to: CHAIN.external, matches: [isNew, commented('kubernetes externally-visible service portals')], reason: 'services without a usable endpoint are refused from outside too' })),
  { from: inFilter('INPUT'), to: CHAIN.nodePorts, matches: [commented('kubernetes health check service ports')], reason: 'load balancers ask whether the node has endpoints' },
  ...(['FORWARD', 'OUTPUT'] as const).map(hook => ({ from: inFilter(hook), to: CHAIN.services, matches: [isNew, commented('kubernetes service portals')], reason: 'services without a usable endpoint are refused' })),
  { from: inFilter('FORWARD'), to: CHAIN.forward, matches: [commented('kubernetes forwarding rules')], reason: 'packets for services are forwarded also where the policy of FORWARD is DROP' },
  ...(['INPUT', 'OUTPUT', 'FORWARD'] as const).map(hook => ({ from: inFilter(hook), to: CHAIN.sources, matches: [isNew, commented('kubernetes load balancer firewall')], reason: 'who may not use a load balancer is dropped' })),
  ...(['OUTPUT', 'PREROUTING'] as const).map(hook => ({ from: inNat(hook), to: CHAIN.services, matches: [commented('kubernetes service portals')], reason: 'new connections may be for a service' })),
  { from: inNat('POSTROUTING'), to: CHAIN.postrouting, matches: [commented('kubernetes postrouting rules')], reason: 'marked packets get the address of the node' },
  ...(['INPUT', 'OUTPUT'] as const).map(hook => ({ from: inFilter(hook), to: CHAIN.firewall, matches: [], reason: 'nobody from outside reaches 127.0.0.1' })),
]

/** Returns the bit that asks for masquerading. */
export function masqueradeMark({ masqueradeBit }: ProxyOptions): number {
  return 2 ** masqueradeBit
}

/** Returns the steps that make chains and jumps. */
export function jumpSteps(): readonly Step[] {
  return [
    ...(['mangle', 'nat', 'filter'] as const).map(table => makeChain({ table, chain: CHAIN.canary })),
    ...JUMPS.flatMap(({ from, to, matches, reason }) => [makeChain({ table: from.table, chain: to }), insert(from, { matches, target: jumpTo(to), owner: PROXY, reason })]),
  ]
}

/** Returns the steps that empty the chains of all services, and write what comes first in them. */
export function openingSteps(options: ProxyOptions, family: Family): readonly Step[] {
  const mark = masqueradeMark(options)
  const blocksLoopback = family === 'ipv4' && options.localhostNodePorts
  return [
    ...[CHAIN.services, CHAIN.external, CHAIN.forward, CHAIN.nodePorts, CHAIN.sources].map(chain => flushChain(inFilter(chain))),
    ...[CHAIN.services, CHAIN.nodePorts, CHAIN.postrouting, CHAIN.mark].map(chain => flushChain(inNat(chain))),
    restore(inNat(CHAIN.postrouting), { matches: [unmarked(mark, mark)], target: verdict('RETURN'), owner: PROXY, reason: 'what is not marked keeps its source' }),
    restore(inNat(CHAIN.postrouting), { matches: [], target: setMark(mark, 0), owner: PROXY, reason: 'the mark is taken away, or the packet would be masqueraded again where it passes once more' }),
    restore(inNat(CHAIN.postrouting), { matches: [commented('kubernetes service traffic requiring SNAT')], target: options.randomFully ? hideAtRandom : hideBehind(undefined), owner: PROXY, reason: 'marked packets get the address of the node, so that answers come back by it' }),
    restore(inNat(CHAIN.mark), { matches: [], target: setMark(mark, mark), owner: PROXY, reason: 'the mark asks for the address of the node when the packet leaves' }),
    ...(blocksLoopback ? [flushChain(inFilter(CHAIN.firewall)), restore(inFilter(CHAIN.firewall), {
      matches: [header({ source: not(loopbackPrefix('ipv4')), destination: loopbackPrefix('ipv4') }), commented('block incoming localnet connections'), inStates(not(CT_STATE.RELATED | CT_STATE.ESTABLISHED | CT_STATE.DNAT))],
      target: verdict('DROP'), owner: PROXY, reason: 'route_localnet, which node ports on 127.0.0.1 need, would let neighbours reach 127.0.0.1 of the node',
    })] : []),
  ]
}

/** Returns the steps that come behind those of all services. */
export function closingSteps(options: ProxyOptions, family: Family): readonly Step[] {
  const mark = masqueradeMark(options)
  const forward = inFilter(CHAIN.forward)
  const counted = options.countsWithNfacct ? [nfacct(NFACCT.invalid)] : []
  return [
    ...nodePortJumps(options, family),
    ...(options.isLiberal ? [] : [restore(forward, { matches: [inStates(CT_STATE.INVALID), ...counted], target: verdict('DROP'), owner: PROXY, reason: 'what conntrack does not know would reach the client with the address of a pod' })]),
    restore(forward, { matches: [commented('kubernetes forwarding rules'), marked(mark, mark)], target: verdict('ACCEPT'), owner: PROXY, reason: 'marked packets, which are for a service, pass' }),
    restore(forward, { matches: [commented('kubernetes forwarding conntrack rule'), ofConnections], target: verdict('ACCEPT'), owner: PROXY, reason: 'and what belongs to their connections' }),
  ]
}

/** Returns the match that counts packets for a metric. */
export function nfacct(name: string): MatchUse {
  return { name: 'nfacct', infos: { 'nfacct-name': { value: name, inverted: false } } }
}

/** Prefixes of the other family say nothing; one of length 0 is all addresses. */
function nodePortJumps({ nodePortPrefixes, nodeAddresses, localhostNodePorts }: ProxyOptions, family: Family): readonly Step[] {
  const comment = commented('kubernetes service nodeports; NOTE: this must be the last rule in this chain')
  const jump = (matches: readonly MatchUse[]): Step =>
    restore(inNat(CHAIN.services), { matches, target: jumpTo(CHAIN.nodePorts), owner: PROXY, reason: 'what is for the node itself may be for a node port, once no service has taken it' })
  const prefixes = (nodePortPrefixes ?? []).filter(({ address }) => familyOf(address) === family)
  if (prefixes.length > 0 && prefixes.every(({ mask }) => !isUnspecified(mask))) {
    const loopback = prefixes.some(prefix => prefixIncludes(prefix, LOOPBACK[family])) ? [LOOPBACK[family]] : []
    const own = [...new Set([...loopback, ...nodeAddresses])].filter(address => prefixes.some(prefix => prefixIncludes(prefix, address)))
    return own.filter(address => !isLoopback(address) || (family === 'ipv4' && localhostNodePorts)).map(address => jump([header({ destination: host(address) }), comment]))
  }
  const away = family === 'ipv4' && localhostNodePorts ? [] : [header({ destination: not(loopbackPrefix(family)) })]
  return [jump([...away, comment, toLocal])]
}

const LOOPBACK: Readonly<Record<Family, Address>> = { ipv4: 0x7f000001, ipv6: 1n }

function isLoopback(address: Address): boolean {
  return prefixIncludes(loopbackPrefix(familyOf(address)), address)
}
