/**
 * What an engine takes away that it, or an older one, wrote before: its own chains at the start, then what newer engines say otherwise.
 * DOCKER-USER is yours. Source: daemon/libnetwork/drivers/bridge/internal/iptabler/network.go removeIPChains(), setupNonInternalNetworkRules().
 */

import { fromLocal, header, hideBehind, host as only, inSet, jumpTo, loopbackPrefix, not, ofConnections, portOf, toLocal, verdict } from '../draft/rule-parts.ts'
import { inFilter, inNat, RAW, remove } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import { familyOf } from '../net/address.ts'
import { BRIDGE_SET, CHAIN } from './chains.ts'
import { isAtLeast, isClassic } from './engine.ts'
import type { DockerHost, DockerNetwork, PortBinding } from './model.ts'
import { isHairpin, viewOf } from './side.ts'
import type { RuleContext } from './side.ts'

/** Chains of table filter that an engine knows as its own, in the order in which it takes them away. */
const FORWARD_CHAINS = [CHAIN.forward, CHAIN.bridge, CHAIN.docker, CHAIN.connections, CHAIN.internal, CHAIN.stage1, CHAIN.stage2]
const CLASSIC_CHAINS = [CHAIN.docker, CHAIN.stage1, CHAIN.stage2]

/** Returns the steps with which an engine starts over rules that were there. */
export function restartSteps({ ingress }: DockerHost, { family, engine }: RuleContext): readonly Step[] {
  const docker = jumpTo(CHAIN.docker)
  const chains = isClassic(engine) || engine.flavor === '28.0.0' ? CLASSIC_CHAINS : FORWARD_CHAINS
  return [
    remove(inNat('PREROUTING'), [toLocal], docker),
    remove(inNat('OUTPUT'), [header({ destination: not(loopbackPrefix(family)) }), toLocal], docker),
    remove(inNat('OUTPUT'), [toLocal], docker),
    { kind: 'removeChain', table: 'nat', chain: CHAIN.docker },
    ...chains.map((chain): Step => ({ kind: 'removeChain', table: 'filter', chain })),
    ...(ingress ? [{ kind: 'removeChain' as const, table: 'filter' as const, chain: CHAIN.ingress }, { kind: 'removeChain' as const, table: 'nat' as const, chain: CHAIN.ingress }] : []),
  ]
}

/** Returns the steps that take away what older engines wrote into built-in chains and this one says elsewhere. */
export function leftoverSteps(host: DockerHost, context: RuleContext): readonly Step[] {
  const { engine, family } = context
  if (isClassic(engine) || engine.flavor === '28.0.0') return []
  const bridges = inSet(BRIDGE_SET[family])
  const forward = inFilter('FORWARD')
  return [
    remove(forward, [bridges], jumpTo(CHAIN.docker)),
    remove(forward, [], jumpTo(CHAIN.stage1)),
    remove(forward, [bridges, ofConnections], verdict('ACCEPT')),
    ...host.networks.flatMap(network => networkLeftovers(network, context)),
    ...host.joins.flatMap(({ bindings }) => bindings.flatMap(binding => portLeftovers(binding, context))),
  ]
}

function networkLeftovers(network: DockerNetwork, context: RuleContext): readonly Step[] {
  const view = viewOf(network, context.family)
  if (!view) return []
  const { bridge, hostAddress } = view
  const forward = inFilter('FORWARD')
  const inside = [header({ inDevice: bridge, outDevice: bridge })]
  const icc = [remove(forward, inside, verdict('ACCEPT')), remove(forward, inside, verdict('DROP'))]
  if (network.isInternal) return icc
  return [
    ...icc,
    remove(forward, [header({ inDevice: bridge, outDevice: not(bridge) })], verdict('ACCEPT')),
    ...(network.icc ? [remove(forward, [header({ inDevice: bridge })], verdict('ACCEPT'))] : []),
    remove(forward, [header({ outDevice: bridge })], jumpTo(CHAIN.docker)),
    remove(forward, [header({ outDevice: bridge }), ofConnections], verdict('ACCEPT')),
    ...(isHairpin(context) ? [] : [remove(inNat('POSTROUTING'), [header({ outDevice: bridge }), fromLocal], hideBehind(hostAddress))]),
  ]
}

function portLeftovers({ protocol, address, port, network }: PortBinding, context: RuleContext): readonly Step[] {
  const { engine, options, family } = context
  if (familyOf(address) !== family || network.isInternal) return []
  const isDropped = isAtLeast(engine, 28, 2) && !options.noRaw && network.sides[family]?.mode === 'nat'
  return [
    ...(isDropped ? [remove(RAW, portOf(protocol, 'dport', port, { destination: only(address), inDevice: not(network.bridge) }), verdict('DROP'))] : []),
    ...(isHairpin(context) ? [] : [remove(inNat('POSTROUTING'), portOf(protocol, 'dport', port, { source: only(address), destination: only(address) }), hideBehind(undefined))]),
  ]
}
