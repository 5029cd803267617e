/** The rules of a service port. Source: kubernetes pkg/proxy/iptables/proxier.go syncProxyRules(), writeServiceToEndpointRules(). */

import { commented, header, host, fromLocal, jumpTo, loopbackPrefix, portMatch, refuse, toLocal, verdict } from '../draft/rule-parts.ts'
import type { HeaderTest } from '../draft/rule-parts.ts'
import { flushChain, inFilter, inNat, restore } from '../draft/step.ts'
import type { ChainPlace, Step } from '../draft/step.ts'
import type { MatchUse, TargetUse } from '../ir/ruleset.ts'
import { familyOf, prefixIncludes, writeAddress, writePrefix } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { detectorTest } from './detector.ts'
import { CHAIN, serviceChain } from './names.ts'
import { ownerOf } from './service-view.ts'
import type { ServiceView } from './service-view.ts'
import { nfacct, NFACCT } from './static-rules.ts'

/** Returns the steps of a service port up to the choice of an endpoint. */
export function serviceSteps(view: ServiceView): readonly Step[] {
  return [...clusterSteps(view), ...externalSteps(view), ...balancerSteps(view), ...nodePortSteps(view), ...internalChain(view), ...externalChain(view), ...sourceChain(view)]
}

/** Returns the matches of packets for a port, in the order in which kube-proxy gives them. */
function toPort({ service: { protocol } }: ServiceView, comment: string, port: number, test: HeaderTest = {}, more: readonly MatchUse[] = []): readonly MatchUse[] {
  return [header({ ...test, protocol: PROTOCOL[protocol] }), commented(comment), ...more, portMatch(protocol, 'dport', { low: port, high: port })]
}

/** Returns a step that writes a rule of a service port. */
function write(view: ServiceView, place: ChainPlace, matches: readonly MatchUse[], target: TargetUse | undefined, reason: string): Step {
  return restore(place, { matches, target, owner: ownerOf(view), reason })
}

/** What happens to packets for which there is no endpoint, and why. */
function refusal({ chosen, service: { name } }: ServiceView): { readonly target: TargetUse; readonly comment: string; readonly why: string } {
  return chosen.hasAny
    ? { target: verdict('DROP'), comment: `${name} has no local endpoints`, why: 'has endpoints on other nodes only, which its traffic policy forbids' }
    : { target: refuse, comment: `${name} has no endpoints`, why: 'has no endpoint: who asks is told so' }
}

function clusterSteps(view: ServiceView): readonly Step[] {
  const { service: { name, port }, clusterAddress, hasInternal, internalChain: chain } = view
  const destination = { destination: host(clusterAddress) }
  if (hasInternal) return [write(view, inNat(CHAIN.services), toPort(view, `${name} cluster IP`, port, destination), jumpTo(chain), `${writeAddress(clusterAddress)}:${port} is service ${name}`)]
  const { target, comment, why } = refusal(view)
  return [write(view, inFilter(CHAIN.services), toPort(view, comment, port, destination), target, `service ${name} ${why}`)]
}

function externalSteps(view: ServiceView): readonly Step[] {
  const { service, external, chosen, hasExternal } = view
  return external.flatMap(address => [
    ...(chosen.hasAny ? [write(view, inNat(CHAIN.services), toPort(view, `${service.name} external IP`, service.port, { destination: host(address) }), jumpTo(serviceChain('KUBE-EXT-', service)), `${writeAddress(address)} is an external address of service ${service.name}`)] : []),
    ...(hasExternal ? [] : [refuseFromOutside(view, address)]),
  ])
}

function balancerSteps(view: ServiceView): readonly Step[] {
  const { service, balancers, chosen, hasExternal, filtersSources } = view
  const firewall = serviceChain('KUBE-FW-', service)
  const chain = filtersSources ? firewall : serviceChain('KUBE-EXT-', service)
  return [
    ...balancers.flatMap(address => [
      ...(chosen.hasAny ? [write(view, inNat(CHAIN.services), toPort(view, `${service.name} loadbalancer IP`, service.port, { destination: host(address) }), jumpTo(chain), `a load balancer hands on packets for ${writeAddress(address)}`)] : []),
      ...(filtersSources ? [write(view, inFilter(CHAIN.sources), toPort(view, `${service.name} traffic not accepted by ${firewall}`, service.port, { destination: host(address) }), verdict('DROP'), `what no source range let through still has ${writeAddress(address)} as destination here`)] : []),
    ]),
    ...(hasExternal ? [] : balancers.map(address => refuseFromOutside(view, address))),
  ]
}

function refuseFromOutside(view: ServiceView, address: Address): Step {
  const { target, comment, why } = refusal(view)
  return write(view, inFilter(CHAIN.external), toPort(view, comment, view.service.port, { destination: host(address) }), target, `service ${view.service.name} ${why}`)
}

function nodePortSteps(view: ServiceView): readonly Step[] {
  const { service, chosen, hasExternal, options, family } = view
  const { nodePort, name, healthCheckPort } = service
  const target = jumpTo(serviceChain('KUBE-EXT-', service))
  const counts = options.countsWithNfacct && options.localhostNodePorts && family === 'ipv4'
  const refused = refusal(view)
  const steps = nodePort === undefined ? [] : [
    ...(chosen.hasAny && counts ? [write(view, inNat(CHAIN.nodePorts), [...toPort(view, name, nodePort, { destination: loopbackPrefix('ipv4') }), nfacct(NFACCT.localhost)], target, `node port ${nodePort} by 127.0.0.1 is counted`)] : []),
    ...(chosen.hasAny ? [write(view, inNat(CHAIN.nodePorts), toPort(view, name, nodePort), target, `node port ${nodePort} is service ${name}`)] : []),
    ...(hasExternal ? [] : [write(view, inFilter(CHAIN.external), toPort(view, refused.comment, nodePort, {}, [toLocal]), refused.target, `service ${name} ${refused.why}`)]),
  ]
  if (healthCheckPort === undefined) return steps
  const health = [header({ protocol: PROTOCOL.tcp }), commented(`${name} health check node port`), portMatch('tcp', 'dport', { low: healthCheckPort, high: healthCheckPort })]
  return [...steps, write(view, inFilter(CHAIN.nodePorts), health, verdict('ACCEPT'), `load balancers ask on port ${healthCheckPort} whether the node has endpoints of ${name}`)]
}

/** Cluster addresses reached from elsewhere: the answer must come back by this node. */
function internalChain(view: ServiceView): readonly Step[] {
  const { service: { name, port }, clusterAddress, options, family, hasInternal, internalChain: chain } = view
  const outside = detectorTest(options.detector, family, 'others')
  if (!hasInternal || (!options.masqueradeAll && !outside)) return []
  const test = { destination: host(clusterAddress), ...(options.masqueradeAll ? {} : outside) }
  const reason = options.masqueradeAll ? 'kube-proxy was told to masquerade everything' : 'what is not from a pod gets the address of the node, as the endpoint may be on another one'
  return [flushChain(inNat(chain)), write(view, inNat(chain), toPort(view, `${name} cluster IP`, port, test), jumpTo(CHAIN.mark), reason)]
}

function externalChain(view: ServiceView): readonly Step[] {
  const { service, chosen, options, family, hasExternal, isAccessible } = view
  if (!chosen.hasAny || !isAccessible) return []
  const { name } = service
  const chain = inNat(serviceChain('KUBE-EXT-', service))
  const [all, here] = [jumpTo(serviceChain('KUBE-SVC-', service)), jumpTo(serviceChain('KUBE-SVL-', service))]
  const end = hasExternal ? [write(view, chain, [], service.isExternalLocal ? here : all, service.isExternalLocal ? 'everybody else gets an endpoint of this node, which sees who asks' : 'any endpoint will do')] : []
  const pods = detectorTest(options.detector, family, 'pods')
  if (!service.isExternalLocal) return [flushChain(chain), write(view, chain, [commented(`masquerade traffic for ${name} external destinations`)], jumpTo(CHAIN.mark), 'the endpoint may be on another node: it sees the address of this one'), ...end]
  return [
    flushChain(chain),
    ...(pods ? [write(view, chain, [header(pods), commented(`pod traffic for ${name} external destinations`)], all, 'pods of the cluster may use every endpoint')] : []),
    write(view, chain, [commented(`masquerade LOCAL traffic for ${name} external destinations`), fromLocal], jumpTo(CHAIN.mark), 'the node itself may have asked with an address that is not its own'),
    write(view, chain, [commented(`route LOCAL traffic for ${name} external destinations`), fromLocal], all, 'the node itself may use every endpoint'),
    ...end,
  ]
}

/** A rule without a target ends the chain: it tells the reader what becomes of the others. */
function sourceChain(view: ServiceView): readonly Step[] {
  const { service, ranges, balancers, options, filtersSources, family } = view
  if (!filtersSources) return []
  const chain = inNat(serviceChain('KUBE-FW-', service))
  const target = jumpTo(serviceChain('KUBE-EXT-', service))
  const comment = commented(`${service.name} loadbalancer IP`)
  const self = nodeAddress(options.nodeAddresses, family)
  const letsNode = self !== undefined && ranges.some(range => prefixIncludes(range, self))
  return [
    flushChain(chain),
    ...ranges.map(range => write(view, chain, [...(range.mask === 0 || range.mask === 0n ? [] : [header({ source: range })]), comment], target, `${writePrefix(range)} may use the load balancer`)),
    ...(letsNode ? balancers.map(address => write(view, chain, [header({ source: host(address) }), comment], target, 'so may the node itself, which has the address of the load balancer then')) : []),
    write(view, chain, [commented(`other traffic to ${service.name} will be dropped by KUBE-PROXY-FIREWALL`)], undefined, 'who comes so far keeps the destination, and is dropped by KUBE-PROXY-FIREWALL'),
  ]
}

function nodeAddress(addresses: readonly Address[], family: Family): Address | undefined {
  return addresses.find(address => familyOf(address) === family)
}
