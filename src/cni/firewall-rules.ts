/** What plugin `firewall` writes for a pod. Source: containernetworking/plugins plugins/meta/firewall/{iptables,ingresspolicy}.go. */

import { commented, header, host, jumpTo, not, ofConnections, verdict } from '../draft/rule-parts.ts'
import { append, inFilter, insert, makeChain } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import { familyOf } from '../net/address.ts'
import type { Family } from '../net/address.ts'
import { bridgeOf } from './model.ts'
import type { FirewallPlugin, Pod } from './model.ts'
import { podWords } from './names.ts'

const FORWARD = inFilter('CNI-FORWARD')
const STAGE_1 = inFilter('CNI-ISOLATION-STAGE-1')
const STAGE_2 = inFilter('CNI-ISOLATION-STAGE-2')
const OWNER = 'the plugin firewall'

/** Returns the steps of a pod. */
export function firewallSteps(plugin: FirewallPlugin, pod: Pod, family: Family): readonly Step[] {
  const own = pod.addresses.filter(({ address }) => familyOf(address) === family)
  if (own.length === 0) return []
  return [...(plugin.usesIptables ? acceptSteps(plugin, pod, family) : []), ...policySteps(plugin, pod)]
}

function acceptSteps({ adminChain }: FirewallPlugin, pod: Pod, family: Family): readonly Step[] {
  const owner = podWords(pod)
  return [
    makeChain(FORWARD), makeChain(inFilter(adminChain)),
    insert(inFilter('FORWARD'), { matches: [commented('CNI firewall plugin rules')], target: jumpTo(FORWARD.chain), owner: OWNER, reason: 'what pods send and are answered is let through before other rules' }),
    insert(FORWARD, { matches: [commented('CNI firewall plugin admin overrides')], target: jumpTo(adminChain), owner: OWNER, reason: 'your own rules come before those of pods' }),
    ...pod.addresses.filter(({ address }) => familyOf(address) === family).flatMap(({ address }) => [
      append(FORWARD, { matches: [header({ destination: host(address) }), ofConnections], target: verdict('ACCEPT'), owner, reason: `answers to ${owner} pass` }),
      append(FORWARD, { matches: [header({ source: host(address) })], target: verdict('ACCEPT'), owner, reason: `what ${owner} sends passes` }),
    ]),
  ]
}

/** The rules of a bridge are inserted above the last ones, which are the same for all bridges. */
function policySteps({ ingressPolicy }: FirewallPlugin, pod: Pod): readonly Step[] {
  const bridge = bridgeOf(pod.joined)?.bridge
  if (ingressPolicy === 'open' || bridge === undefined) return []
  const words = (policy: string): ReturnType<typeof commented> => commented(`CNI firewall plugin rules (ingressPolicy: ${policy})`)
  const both = words('same-bridge|isolated')
  const end = { matches: [both], target: verdict('RETURN'), owner: OWNER, reason: 'what no rule above stops goes on' }
  const isolated = insert(STAGE_1, { matches: [header({ inDevice: bridge, outDevice: bridge }), words(ingressPolicy)], target: verdict('DROP'), owner: OWNER, reason: `pods on ${bridge} may not talk to each other` })
  return [
    makeChain(STAGE_1), makeChain(STAGE_2),
    insert(inFilter('FORWARD'), { matches: [both], target: jumpTo(STAGE_1.chain), owner: OWNER, reason: 'networks are kept apart before anything is accepted' }),
    insert(STAGE_1, { matches: [header({ inDevice: bridge, outDevice: not(bridge) }), words(ingressPolicy)], target: jumpTo(STAGE_2.chain), owner: OWNER, reason: `what pods on ${bridge} send to another device must not be for another bridge of pods` }),
    ...(ingressPolicy === 'isolated' ? [isolated] : []),
    append(STAGE_1, end),
    insert(STAGE_2, { matches: [header({ outDevice: bridge }), both], target: verdict('DROP'), owner: OWNER, reason: `pods of other bridges do not reach those on ${bridge}` }),
    append(STAGE_2, end),
  ]
}
