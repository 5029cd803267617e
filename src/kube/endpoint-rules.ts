/** The choice of an endpoint, and the way to it. Source: kubernetes pkg/proxy/iptables/proxier.go writeServiceToEndpointRules(). */

import { byChance, commented, header, host, jumpTo, portMatch, recently, sendTo } from '../draft/rule-parts.ts'
import { flushChain, inNat, restore } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import type { MatchUse } from '../ir/ruleset.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { Endpoint } from './model.ts'
import { CHAIN, endpointChain, endpointText, serviceChain } from './names.ts'
import { ownerOf } from './service-view.ts'
import type { ServiceView } from './service-view.ts'

/** Whether the rules of endpoints say whose they are: large clusters do without. */
export type Comments = 'told' | 'left out'

/** Returns the steps of a service port's endpoints. */
export function endpointSteps(view: ServiceView, comments: Comments): readonly Step[] {
  const { service, chosen } = view
  return [
    ...choiceSteps(view, serviceChain('KUBE-SVC-', service), chosen.cluster, comments),
    ...choiceSteps(view, serviceChain('KUBE-SVL-', service), chosen.local, comments),
    ...chosen.reachable.flatMap(endpoint => wayTo(view, endpoint, comments)),
  ]
}

function choiceSteps(view: ServiceView, name: string, endpoints: readonly Endpoint[], comments: Comments): readonly Step[] {
  const { service, family } = view
  const chain = inNat(name)
  const seconds = service.affinitySeconds
  const comment = (endpoint: Endpoint): readonly MatchUse[] => (comments === 'told' ? [commented(`${service.name} -> ${endpointText(endpoint)}`)] : [])
  const step = (endpoint: Endpoint, matches: readonly MatchUse[], reason: string): Step =>
    restore(chain, { matches: [...comment(endpoint), ...matches], target: jumpTo(endpointChain(service, endpoint)), owner: ownerOf(view), reason })
  return [
    ...(seconds === undefined ? [] : endpoints.map(endpoint => step(endpoint, [recently(endpointChain(service, endpoint), family, seconds)], `who was sent to ${endpointText(endpoint)} in the last ${seconds} seconds stays there`))),
    ...endpoints.map((endpoint, index) => {
      const left = endpoints.length - index
      return step(endpoint, left === 1 ? [] : [byChance(Number((1 / left).toFixed(10)))], left === 1 ? `${index === 0 ? 'all' : 'the rest'} go to ${endpointText(endpoint)}` : `one in ${left} of those that come so far goes to ${endpointText(endpoint)}`)
    }),
  ]
}

function wayTo(view: ServiceView, endpoint: Endpoint, comments: Comments): readonly Step[] {
  const { service, family } = view
  const name = endpointChain(service, endpoint)
  const chain = inNat(name)
  const comment = comments === 'told' ? [commented(service.name)] : []
  const owner = ownerOf(view)
  const remember = service.affinitySeconds === undefined ? [] : [recently(name, family)]
  return [
    flushChain(chain),
    restore(chain, { matches: [header({ source: host(endpoint.address) }), ...comment], target: jumpTo(CHAIN.mark), owner, reason: 'a pod that is sent to itself must see another source than its own' }),
    restore(chain, { matches: [header({ protocol: PROTOCOL[service.protocol] }), ...comment, ...remember, portMatch(service.protocol, 'dport')], target: sendTo(endpoint.address, endpoint.port), owner, reason: `the connection goes to ${endpointText(endpoint)}` }),
  ]
}
