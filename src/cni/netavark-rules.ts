/** What netavark writes with its iptables driver. Source: netavark src/firewall/varktables/types.rs get_network_chains(), get_port_forwarding_chains(). */

import { commented, header, hideBehind, host, inStates, jumpTo, marked, not, ofConnections, portMatch, portOf, sendRangeTo, sendTo, setMark, toLocal, verdict } from '../draft/rule-parts.ts'
import type { HeaderTest } from '../draft/rule-parts.ts'
import { append, inFilter, inNat, insert, makeChain } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import { CT_STATE } from '../meaning/fields.ts'
import { familyOf, isUnspecified, writePrefix } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { hexDigits } from '../net/sha256.ts'
import { sha512 } from '../net/sha512.ts'
import { multicastPrefix } from './bridge-rules.ts'
import type { NetavarkContainer, NetavarkHost, NetavarkNetwork, NetavarkPort } from './netavark.ts'

const ENTRY = inNat('NETAVARK-HOSTPORT-DNAT')
const SET_MARK = inNat('NETAVARK-HOSTPORT-SETMARK')
const MASQUERADE = inNat('NETAVARK-HOSTPORT-MASQ')
const FORWARD = inFilter('NETAVARK_FORWARD')
const INPUT = inFilter('NETAVARK_INPUT')
const [ISOLATION_1, ISOLATION_2, ISOLATION_3] = [inFilter('NETAVARK_ISOLATION_1'), inFilter('NETAVARK_ISOLATION_2'), inFilter('NETAVARK_ISOLATION_3')]
const OWNER = 'netavark'
const MARK = 0x2000

/** A network seen from one family. */
interface NetworkView {
  readonly network: NetavarkNetwork
  readonly prefix: Prefix
  readonly gateway: Address
  readonly hash: string
  readonly owner: string
}

/** Returns the steps of a host. netavark runs for a container: networks without any get no rules. */
export function netavarkSteps({ networks, isOld }: NetavarkHost, family: Family): readonly Step[] {
  return networks.flatMap(network => {
    const side = network.subnets[family]
    if (!side || network.containers.length === 0) return []
    const view: NetworkView = { network, ...side, hash: networkHash(network.name), owner: `network ${network.name}` }
    const filter = isOld ? oldFilterSteps(view) : [...isolationSteps(view), ...filterSteps(view)]
    return [...masqueradeSteps(view, family), ...filter, ...network.containers.flatMap(container => containerSteps(view, container, family))]
  })
}

/** Returns the part of chain names that tells a network. */
export function networkHash(name: string): string {
  return hexDigits(sha512(name)).toUpperCase().slice(0, 13)
}

function masqueradeSteps({ network, prefix, hash, owner }: NetworkView, family: Family): readonly Step[] {
  const chain = inNat(`NETAVARK-${hash}`)
  return [
    makeChain(chain),
    append(chain, { matches: [header({ destination: prefix })], target: verdict('ACCEPT'), owner, reason: 'containers of one network see each other\'s addresses' }),
    append(chain, { matches: [header({ destination: not(multicastPrefix(family)) })], target: hideBehind(undefined), owner, reason: 'what containers send elsewhere has the address of the host' }),
    append(inNat('POSTROUTING'), { matches: [header({ source: prefix })], target: jumpTo(chain.chain), owner, reason: `what network ${network.name} (${writePrefix(prefix)}) sends may need the address of the host` }),
  ]
}

function filterSteps({ network, prefix, owner }: NetworkView): readonly Step[] {
  const comment = commented('netavark firewall rules')
  const dns = (protocol: 'udp' | 'tcp'): Step =>
    append(INPUT, { matches: portOf(protocol, 'dport', network.dnsPort, { source: prefix }), target: verdict('ACCEPT'), owner, reason: 'containers ask the name server of the host' })
  return [
    makeChain(INPUT), makeChain(FORWARD),
    insert(inFilter('INPUT'), { matches: [comment], target: jumpTo(INPUT.chain), owner: OWNER, reason: 'containers may reach the name server of the host' }),
    dns('udp'), dns('tcp'),
    append(FORWARD, { matches: [inStates(CT_STATE.INVALID)], target: verdict('DROP'), owner: OWNER, reason: 'what belongs to no connection would leave with the address of a container' }),
    ...forwardRules(prefix, owner),
  ]
}

function oldFilterSteps(view: NetworkView): readonly Step[] {
  const { prefix, owner, network } = view
  return [
    makeChain(FORWARD),
    insert(inFilter('FORWARD'), { matches: [commented('netavark firewall plugin rules')], target: jumpTo(FORWARD.chain), owner: OWNER, reason: 'containers are forwarded' }),
    ...(network.isolation === 'never' ? [] : [makeChain(ISOLATION_1), makeChain(ISOLATION_2), ...isolateFrom(view)]),
    ...forwardRules(prefix, owner),
  ]
}

function forwardRules(prefix: Prefix, owner: string): readonly Step[] {
  return [
    append(FORWARD, { matches: [header({ destination: prefix }), ofConnections], target: verdict('ACCEPT'), owner, reason: 'answers to containers pass' }),
    append(FORWARD, { matches: [header({ source: prefix })], target: verdict('ACCEPT'), owner, reason: 'what containers send passes' }),
  ]
}

/** The jump to the rules of netavark comes below that to the isolation. */
function isolationSteps(view: NetworkView): readonly Step[] {
  const { network: { bridge, isolation, name }, owner } = view
  const toNormal = { matches: [], target: jumpTo(ISOLATION_2.chain), owner: OWNER, reason: 'who is strict is kept from isolated networks too' }
  const jump = insert(inFilter('FORWARD'), { matches: [commented('netavark firewall rules')], target: jumpTo(FORWARD.chain), owner: OWNER, reason: 'containers are forwarded' })
  const chains = [makeChain(FORWARD), makeChain(ISOLATION_2), makeChain(ISOLATION_3), jump]
  const drop = insert(ISOLATION_3, { matches: [header({ outDevice: bridge })], target: verdict('DROP'), owner, reason: `network ${name} is not reached from strictly isolated ones` })
  if (isolation === 'never') return [...chains, drop, append(ISOLATION_3, toNormal)]
  return [...chains, makeChain(ISOLATION_1), ...isolateFrom(view), insert(ISOLATION_3, toNormal)]
}

function isolateFrom({ network: { bridge, isolation, name }, owner }: NetworkView): readonly Step[] {
  const others = isolation === 'strict' ? ISOLATION_3 : ISOLATION_2
  return [
    insert(inFilter('FORWARD'), { matches: [], target: jumpTo(ISOLATION_1.chain), owner: OWNER, reason: 'networks are kept apart before anything is accepted' }),
    insert(ISOLATION_1, { matches: [header({ inDevice: bridge, outDevice: not(bridge) })], target: jumpTo(others.chain), owner, reason: `network ${name} does not reach ${isolation === 'strict' ? 'any other network' : 'other isolated networks'}` }),
    insert(ISOLATION_2, { matches: [header({ outDevice: bridge })], target: verdict('DROP'), owner, reason: `network ${name} is not reached from isolated networks` }),
  ]
}

function containerSteps(view: NetworkView, container: NetavarkContainer, family: Family): readonly Step[] {
  const address = container.addresses[family]
  if (address === undefined) return []
  const chain = inNat(`NETAVARK-DN-${view.hash}`)
  const jump = { matches: [toLocal], target: jumpTo(ENTRY.chain), owner: OWNER, reason: 'packets for an address of the host may be for a published port' }
  const ports = container.ports.filter(({ hostAddress }) => hostAddress === undefined || familyOf(hostAddress) === family)
  return [
    makeChain(SET_MARK), makeChain(MASQUERADE), makeChain(ENTRY), ...(container.ports.length > 0 ? [makeChain(chain)] : []),
    append(SET_MARK, { matches: [], target: setMark(MARK, MARK), owner: OWNER, reason: 'the mark asks for the address of the host when the packet leaves' }),
    append(MASQUERADE, { matches: [commented('netavark portfw masq mark'), marked(MARK, MARK)], target: hideBehind(undefined), owner: OWNER, reason: 'marked packets get the address of the host, so that answers come back by it' }),
    insert(inNat('POSTROUTING'), { matches: [], target: jumpTo(MASQUERADE.chain), owner: OWNER, reason: 'before a network\'s own masquerading accepts the packet' }),
    ...dnsSteps(view),
    ...ports.flatMap(port => portSteps(view, container, port, address)),
    append(inNat('PREROUTING'), jump), append(inNat('OUTPUT'), jump),
  ]
}

/** The name server of containers listens elsewhere where port 53 is another's. */
function dnsSteps({ network: { dnsPort }, gateway, owner }: NetworkView): readonly Step[] {
  if (dnsPort === 53) return []
  return (['udp', 'tcp'] as const).map(protocol =>
    insert(ENTRY, { matches: portOf(protocol, 'dport', 53, { destination: host(gateway) }), target: sendTo(gateway, dnsPort), owner, reason: `the name server of the network listens on port ${dnsPort}` }))
}

function portSteps({ network, prefix, hash }: NetworkView, { name }: NetavarkContainer, { protocol, host: hosts, container, hostAddress }: NetavarkPort, address: Address): readonly Step[] {
  const chain = inNat(`NETAVARK-DN-${hash}`)
  const owner = `container ${name}`
  const isRange = hosts.high > hosts.low
  const words = `port ${hosts.low}${isRange ? `-${hosts.high}` : ''}/${protocol}`
  const destination = hostAddress === undefined || isUnspecified(hostAddress) ? {} : { destination: host(hostAddress) }
  const to = (test: HeaderTest) => [header({ ...test, protocol: PROTOCOL[protocol] }), portMatch(protocol, 'dport', hosts)]
  const hide = jumpTo(SET_MARK.chain)
  return [
    append(ENTRY, { matches: [...to({}), commented(`dnat name: ${network.name} id: ${name}`)], target: jumpTo(chain.chain), owner, reason: `${words} is published by ${owner}` }),
    append(chain, { matches: to({ source: prefix, ...destination }), target: hide, owner, reason: `a container of the same network that uses ${words} is hidden behind the host` }),
    append(chain, { matches: to({ source: host(familyOf(address) === 'ipv4' ? 0x7f000001 : 1n), ...destination }), target: hide, owner, reason: `the host itself, using ${words} by its loopback address, needs one that a container can answer` }),
    append(chain, { matches: to(destination), target: isRange ? sendRangeTo(address, container, hosts.low) : sendTo(address, container.low), owner, reason: `${words} is port ${container.low}${isRange ? `-${container.high}` : ''} of ${owner}` }),
  ]
}
