/** What plugin `portmap` writes for a pod: its published ports. Source: containernetworking/plugins plugins/meta/portmap/portmap_iptables.go. */

import { commented, header, hideBehind, host, jumpTo, marked, portOf, sendTo, setMark, toLocal, toPorts } from '../draft/rule-parts.ts'
import type { HeaderTest } from '../draft/rule-parts.ts'
import { append, inNat, insert, makeChain } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import type { MatchUse } from '../ir/ruleset.ts'
import { familyOf, isUnspecified } from '../net/address.ts'
import type { Family } from '../net/address.ts'
import { prefixAround } from '../net/prefix-math.ts'
import type { AddressWithLength } from '../net/prefix-math.ts'
import { PORT_PROTOCOLS, PROTOCOL } from '../net/protocol.ts'
import type { Pod, PortMapping, PortmapPlugin } from './model.ts'
import { podChain, podComment, podWords } from './names.ts'

const ENTRY = inNat('CNI-HOSTPORT-DNAT')
const MASQUERADE = inNat('CNI-HOSTPORT-MASQ')
const OWNER = 'the plugin portmap'

/** -m multiport takes so many ports. */
const PORTS_OF_A_RULE = 15

/** Returns the steps of a pod's ports. A pod has one address of each family for them, its first. */
export function portmapSteps(plugin: PortmapPlugin, pod: Pod, family: Family): readonly Step[] {
  const own = pod.addresses.find(({ address }) => familyOf(address) === family)
  if (!own || pod.mappings.length === 0 || !plugin.takesMappings) return []
  const chain = inNat(podChain('CNI-DN-', pod))
  const jump = { matches: [toLocal], target: jumpTo(ENTRY.chain), owner: OWNER, reason: 'packets for an address of the host may be for a published port' }
  return [
    ...markSteps(plugin),
    makeChain(ENTRY), append(inNat('PREROUTING'), jump), append(inNat('OUTPUT'), jump),
    makeChain(chain),
    ...pod.mappings.filter(({ hostAddress }) => hostAddress === undefined || familyOf(hostAddress) === family).flatMap(mapping => mappingSteps(plugin, pod, own, mapping)),
    ...entrySteps(plugin, pod, family),
  ]
}

/** Returns the chain that marks packets which must get the host's address. */
function markChain(plugin: PortmapPlugin): string {
  return plugin.markChain ?? 'CNI-HOSTPORT-SETMARK'
}

function markSteps(plugin: PortmapPlugin): readonly Step[] {
  if (!plugin.snat || plugin.markChain !== undefined) return []
  const bit = 2 ** plugin.markBit
  const chain = inNat(markChain(plugin))
  return [
    makeChain(chain),
    append(chain, { matches: [commented('CNI portfwd masquerade mark')], target: setMark(bit, bit), owner: OWNER, reason: 'the mark asks for the address of the host when the packet leaves' }),
    makeChain(MASQUERADE),
    append(MASQUERADE, { matches: [marked(bit, bit)], target: hideBehind(undefined), owner: OWNER, reason: 'marked packets get the address of the host, so that answers come back by it' }),
    insert(inNat('POSTROUTING'), { matches: [commented('CNI portfwd requiring masquerade')], target: jumpTo(MASQUERADE.chain), owner: OWNER, reason: 'before a pod\'s own masquerading accepts the packet' }),
  ]
}

function mappingSteps(plugin: PortmapPlugin, pod: Pod, { address, length }: AddressWithLength, { protocol, hostPort, containerPort, hostAddress }: PortMapping): readonly Step[] {
  const chain = inNat(podChain('CNI-DN-', pod))
  const owner = podWords(pod)
  const words = `port ${hostPort}/${protocol} of ${owner}`
  const destination = hostAddress === undefined || isUnspecified(hostAddress) ? {} : { destination: host(hostAddress) }
  const from = (test: HeaderTest): readonly MatchUse[] => portOf(protocol, 'dport', hostPort, { ...test, ...destination })
  const target = jumpTo(markChain(plugin))
  const fromAnywhere = { matches: from({}), target, owner, reason: `whoever uses ${words} is hidden behind the host` }
  const fromNetwork = { matches: from({ source: prefixAround(address, length) }), target, owner, reason: `a pod of the same network that uses ${words} is hidden behind the host, or the answer would not come back by it` }
  const fromLoopback = { matches: from({ source: host(0x7f000001) }), target, owner, reason: `the host itself, using ${words} by 127.0.0.1, needs an address that a pod can answer` }
  const marks = !plugin.snat ? [] : plugin.masqueradesAll ? [fromAnywhere] : [fromNetwork, ...(familyOf(address) === 'ipv4' ? [fromLoopback] : [])]
  return [
    ...marks.map(mark => append(chain, mark)),
    append(chain, { matches: from({}), target: sendTo(address, containerPort), owner, reason: `${words} is its port ${containerPort}` }),
  ]
}

/** The entry rules have the ports of both families. */
function entrySteps(plugin: PortmapPlugin, pod: Pod, family: Family): readonly Step[] {
  const comment = commented(podComment('dnat ', pod))
  const owner = podWords(pod)
  return PORT_PROTOCOLS.toSorted().flatMap(protocol => {
    const ports = pod.mappings.filter(mapping => mapping.protocol === protocol).map(({ hostPort }) => hostPort)
    const lists = Array.from({ length: Math.ceil(ports.length / PORTS_OF_A_RULE) }, (_, index) => ports.slice(index * PORTS_OF_A_RULE, (index + 1) * PORTS_OF_A_RULE))
    return lists.map(list => append(ENTRY, {
      matches: withConditions([header({ protocol: PROTOCOL[protocol] }), comment, toPorts(list)], plugin.conditions[family]), target: jumpTo(podChain('CNI-DN-', pod)), owner,
      reason: `${list.length === 1 ? `port ${list[0]}/${protocol} is` : `${protocol} ports ${list.join(', ')} are`} published by ${owner}`,
    }))
  })
}

/** What conditions say of the header joins what the rule says of it. */
function withConditions([first, ...others]: readonly MatchUse[], conditions: readonly MatchUse[]): readonly MatchUse[] {
  const more = conditions.find(({ name }) => name === 'ip')
  const joined = first && more ? { ...first, infos: { ...more.infos, ...first.infos } } : first
  return [...(joined ? [joined] : []), ...others, ...conditions.filter(({ name }) => name !== 'ip')]
}
