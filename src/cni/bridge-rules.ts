/** What plugin `bridge` writes for a pod: masquerading. Source: containernetworking/plugins pkg/ip/ipmasq_iptables_linux.go setupIPMasqIPTables(). */

import { commented, header, hideBehind, host, jumpTo, not, verdict } from '../draft/rule-parts.ts'
import { append, inNat, makeChain } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import { familyOf } from '../net/address.ts'
import type { Family, Prefix } from '../net/address.ts'
import { prefixAround } from '../net/prefix-math.ts'
import type { BridgePlugin, Pod } from './model.ts'
import { podChain, podComment, podWords } from './names.ts'

/** Returns the prefix of multicast addresses. */
export function multicastPrefix(family: Family): Prefix {
  return prefixAround(family === 'ipv4' ? 0xe0000000 : 0xffn << 120n, family === 'ipv4' ? 4 : 8)
}

/** Returns the steps of a pod's masquerading. */
export function bridgeSteps({ masquerades }: BridgePlugin, pod: Pod, family: Family): readonly Step[] {
  if (!masquerades) return []
  const chain = inNat(podChain('CNI-', pod))
  const comment = commented(podComment('', pod))
  const owner = podWords(pod)
  return pod.addresses.filter(({ address }) => familyOf(address) === family).flatMap(({ address, length }) => [
    makeChain(chain),
    append(chain, { matches: [header({ destination: prefixAround(address, length) }), comment], target: verdict('ACCEPT'), owner, reason: 'pods of one network see each other\'s addresses' }),
    append(chain, { matches: [header({ destination: not(multicastPrefix(family)) }), comment], target: hideBehind(undefined), owner, reason: `what ${owner} sends elsewhere has the address of the host, so that answers find the way back` }),
    append(inNat('POSTROUTING'), { matches: [header({ source: host(address) }), comment], target: jumpTo(chain.chain), owner, reason: `what ${owner} sends may need the address of the host` }),
  ])
}
