/** The rules of a network up to 27, all of them in FORWARD itself. Source: libnetwork/drivers/bridge/setup_ip_tables_linux.go of v27.5.1. */

import { header, jumpTo, not, ofConnections, verdict } from '../draft/rule-parts.ts'
import { append, ENGINE, inFilter, insert, keepOnTop } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import { CHAIN } from './chains.ts'
import type { DockerNetwork } from './model.ts'
import { dropFromInside, dropFromOutside, leaveToProxy, translateLocal, translateOutgoing } from './network-rules.ts'
import type { Spared } from './network-rules.ts'
import { isHairpin, networkWords, viewOf } from './side.ts'
import type { NetworkView, RuleContext } from './side.ts'
import { natJumps, userChain } from './static-rules.ts'

/** Returns the steps that make a network; one without this family is kept apart in it all the same. */
export function classicNetworkSteps(network: DockerNetwork, context: RuleContext): readonly Step[] {
  const view = viewOf(network, context.family)
  return [
    ...(view ? (network.isInternal ? internalSteps(view, context) : externalSteps(view, context)) : []),
    ...(view ? [isolationOnTop()] : []),
    ...(network.isInternal ? [] : classicIsolation(network)),
    ...userChain(context),
  ]
}

function externalSteps(view: NetworkView, context: RuleContext): readonly Step[] {
  const isTranslated = view.network.masquerade && view.mode !== 'routed'
  return [
    ...(isTranslated ? [translateOutgoing(view)] : []),
    ...(isTranslated && !isHairpin(context) ? [leaveToProxy(view)] : []),
    ...(isHairpin(context) ? [translateLocal(view)] : []),
    betweenContainers(view),
    acceptOutgoing(view),
    ...natJumps(context),
    openPorts(view),
    acceptAnswers(view),
  ]
}

function internalSteps(view: NetworkView, { family, engine }: RuleContext): readonly Step[] {
  const spared: Spared = family === 'ipv6' && engine.flavor !== 'classic20' ? 'own bridge' : 'nothing'
  const stage1 = inFilter(CHAIN.stage1)
  return [insert(stage1, dropFromInside(view, spared)), insert(stage1, dropFromOutside(view, spared)), betweenContainers(view)]
}

function betweenContainers({ network, bridge }: NetworkView): Step {
  const matches = [header({ inDevice: bridge, outDevice: bridge })]
  const owner = networkWords(network)
  if (network.icc) return insert(inFilter('FORWARD'), { matches, target: verdict('ACCEPT'), owner, reason: `containers of ${owner} may talk to each other` })
  return append(inFilter('FORWARD'), { matches, target: verdict('DROP'), owner, reason: `containers of ${owner} may not talk to each other (enable_icc is false)` })
}

function acceptOutgoing({ network, bridge }: NetworkView): Step {
  const matches = [header({ inDevice: bridge, outDevice: not(bridge) })]
  return insert(inFilter('FORWARD'), { matches, target: verdict('ACCEPT'), owner: networkWords(network), reason: `containers of ${networkWords(network)} may send anywhere else` })
}

function openPorts({ network, bridge }: NetworkView): Step {
  const reason = `published ports of ${networkWords(network)} are open; the chain policy decides about the others`
  return insert(inFilter('FORWARD'), { matches: [header({ outDevice: bridge })], target: jumpTo(CHAIN.docker), owner: networkWords(network), reason })
}

function acceptAnswers({ network, bridge }: NetworkView): Step {
  const reason = `answers to containers of ${networkWords(network)} pass`
  return insert(inFilter('FORWARD'), { matches: [header({ outDevice: bridge }), ofConnections], target: verdict('ACCEPT'), owner: networkWords(network), reason })
}

function isolationOnTop(): Step {
  return keepOnTop(inFilter('FORWARD'), { matches: [], target: jumpTo(CHAIN.stage1), owner: ENGINE, reason: 'networks are kept apart before anything is accepted' })
}

function classicIsolation(network: DockerNetwork): readonly Step[] {
  const { bridge } = network
  const owner = networkWords(network)
  return [
    insert(inFilter(CHAIN.stage1), { matches: [header({ inDevice: bridge, outDevice: not(bridge) })], target: jumpTo(CHAIN.stage2), owner, reason: `what leaves ${owner} may not enter another network` }),
    insert(inFilter(CHAIN.stage2), { matches: [header({ outDevice: bridge })], target: verdict('DROP'), owner, reason: `what comes from another network may not enter ${owner}` }),
  ]
}
