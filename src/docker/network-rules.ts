/** The rules of a network since 28.0, one function for each. Source: daemon/libnetwork/drivers/bridge/internal/iptabler/network.go. */

import { fromLocal, header, hideBehind, jumpTo, marked, not, ofConnections, verdict } from '../draft/rule-parts.ts'
import { append, ENGINE, inFilter, inNat, insert } from '../draft/step.ts'
import type { ChainPlace, RuleWords, Step } from '../draft/step.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { CHAIN } from './chains.ts'
import { hasIsolationStages } from './engine.ts'
import { isHairpin, networkWords, subnetWords } from './side.ts'
import type { NetworkView, RuleContext } from './side.ts'

/** Returns the steps that make a network that reaches the world. */
export function externalNetworkSteps(view: NetworkView, context: RuleContext): readonly Step[] {
  const { network, mode } = view
  const { engine } = context
  const isNarrow = engine.flavor === '28.0.0'
  return [
    ...acceptMark(context),
    ...(network.masquerade && mode !== 'routed' ? [translateOutgoing(view)] : []),
    ...(hasIsolationStages(engine) && network.masquerade && !isHairpin(context) ? [leaveToProxy(view)] : []),
    ...(isHairpin(context) ? [translateLocal(view)] : []),
    ...(network.icc ? [] : [dropNeighbours(view, forwardPlace(context))]),
    ...(mode === 'routed' ? [acceptIcmp(view, context)] : []),
    acceptOutgoing(view, forwardPlace(context)),
    endOfPorts(view),
    ...(isNarrow ? [] : [acceptAnswers(view), openPorts(view)]),
    ...(hasIsolationStages(engine) && !isNarrow ? isolationSteps(view.network, mode) : []),
  ]
}

/** Returns the steps that make an internal network. Its IPv6 rules let link-local and multicast packets pass on the bridge. */
export function internalNetworkSteps(view: NetworkView, context: RuleContext): readonly Step[] {
  const { network, bridge } = view
  const chain = inFilter(hasIsolationStages(context.engine) ? CHAIN.stage1 : CHAIN.internal)
  const forward = forwardPlace(context)
  const spared: Spared = context.family === 'ipv6' ? 'own bridge' : 'nothing'
  return [
    insert(chain, dropFromInside(view, spared)),
    insert(chain, dropFromOutside(view, spared)),
    append(forward, network.icc
      ? { matches: [header({ inDevice: bridge, outDevice: bridge })], target: verdict('ACCEPT'), owner: networkWords(network), reason: `containers of ${networkWords(network)} may talk to each other` }
      : { matches: [header({ inDevice: bridge, outDevice: bridge })], target: verdict('DROP'), owner: networkWords(network), reason: `containers of ${networkWords(network)} may not talk to each other (enable_icc is false)` }),
  ]
}

/** What the rules of internal networks let pass: nothing that is not of the subnet, or what stays on the bridge. */
export type Spared = 'nothing' | 'own bridge'

/** Returns the rule that stops what leaves an internal network. */
export function dropFromInside({ network, bridge, prefix }: NetworkView, spared: Spared): RuleWords {
  return {
    matches: [header({ destination: not(prefix), inDevice: bridge, ...(spared === 'own bridge' ? { outDevice: not(bridge) } : {}) })], target: verdict('DROP'), owner: networkWords(network),
    reason: `${networkWords(network)} is internal: nothing leaves it`,
  }
}

/** Returns the rule that stops what enters an internal network. */
export function dropFromOutside({ network, bridge, prefix }: NetworkView, spared: Spared): RuleWords {
  return {
    matches: [header({ source: not(prefix), ...(spared === 'own bridge' ? { inDevice: not(bridge) } : {}), outDevice: bridge })], target: verdict('DROP'), owner: networkWords(network),
    reason: `${networkWords(network)} is internal: nothing enters it`,
  }
}

/** The steps that keep a network apart from the others, by the two chains of up to 28. */
export function isolationSteps({ bridge, ...network }: NetworkView['network'], mode: NetworkView['mode']): readonly Step[] {
  const owner = networkWords({ bridge, ...network })
  const [stage1, stage2] = [inFilter(CHAIN.stage1), inFilter(CHAIN.stage2)]
  const routed = [
    insert(stage1, { matches: [header({ outDevice: bridge })], target: verdict('RETURN'), owner, reason: `${owner} is routed: other networks may reach its open ports` }),
    insert(stage1, { matches: [header({ inDevice: bridge }), ofConnections], target: verdict('ACCEPT'), owner, reason: `and it may answer them` }),
  ]
  return [
    ...(mode === 'routed' ? routed : []),
    append(stage1, { matches: [header({ inDevice: bridge, outDevice: not(bridge) })], target: jumpTo(CHAIN.stage2), owner, reason: `what leaves ${owner} may not enter another network` }),
    insert(stage2, { matches: [header({ outDevice: bridge })], target: verdict('DROP'), owner, reason: `what comes from another network may not enter ${owner}` }),
  ]
}

/** Where the rules that let networks out stand. */
function forwardPlace({ engine }: RuleContext): ChainPlace {
  return inFilter(engine.flavor === '28.0.0' ? 'FORWARD' : CHAIN.forward)
}

function acceptMark({ options, engine }: RuleContext): readonly Step[] {
  const mark = engine.flavor === '29' ? options.bridgeAcceptMark : undefined
  return mark ? [insert(inFilter(CHAIN.forward), { matches: [marked(mark.value, mark.mask)], target: verdict('ACCEPT'), owner: ENGINE, reason: 'packets with this mark may go wherever they want (bridge-accept-fwmark)' })] : []
}

/** Hides the containers of a network behind the host where they reach the world. */
export function translateOutgoing(view: NetworkView): Step {
  const { bridge, network, prefix, hostAddress } = view
  return insert(inNat('POSTROUTING'), {
    matches: [header({ source: prefix, outDevice: not(bridge) })], target: hideBehind(hostAddress), owner: networkWords(network),
    reason: `the world sees the host instead of the containers of ${subnetWords(view)}`,
  })
}

/** Lets the userland proxy serve containers that ask for published ports of the host. */
export function leaveToProxy({ bridge, network }: NetworkView): Step {
  return insert(inNat(CHAIN.docker), {
    matches: [header({ inDevice: bridge })], target: verdict('RETURN'), owner: networkWords(network),
    reason: `containers of ${networkWords(network)} reach published ports of the host through the userland proxy`,
  })
}

/** Lets containers answer what the host sent them from an address that they could not reach, such as 127.0.0.1. */
export function translateLocal({ bridge, network, hostAddress }: NetworkView): Step {
  return insert(inNat('POSTROUTING'), {
    matches: [header({ outDevice: bridge }), fromLocal], target: hideBehind(hostAddress), owner: networkWords(network),
    reason: `containers of ${networkWords(network)} see the bridge's address where the host itself asks, which they can answer (no userland proxy)`,
  })
}

function dropNeighbours({ bridge, network }: NetworkView, place: ChainPlace): Step {
  return append(place, {
    matches: [header({ inDevice: bridge, outDevice: bridge })], target: verdict('DROP'), owner: networkWords(network),
    reason: `containers of ${networkWords(network)} may not talk to each other (enable_icc is false)`,
  })
}

function acceptIcmp({ bridge, network }: NetworkView, { family }: RuleContext): Step {
  return append(inFilter(CHAIN.docker), {
    matches: [header({ outDevice: bridge, protocol: family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6 })], target: verdict('ACCEPT'), owner: networkWords(network),
    reason: `${networkWords(network)} is routed: its containers may be pinged`,
  })
}

function acceptOutgoing({ bridge, network }: NetworkView, place: ChainPlace): Step {
  return append(place, {
    matches: [header({ inDevice: bridge, ...(network.icc ? {} : { outDevice: not(bridge) }) })], target: verdict('ACCEPT'), owner: networkWords(network),
    reason: network.icc ? `containers of ${networkWords(network)} may send anywhere` : `containers of ${networkWords(network)} may send anywhere else`,
  })
}

function endOfPorts({ bridge, network, mode }: NetworkView): Step {
  const isOpen = mode === 'nat-unprotected'
  return append(inFilter(CHAIN.docker), {
    matches: [header({ inDevice: not(bridge), outDevice: bridge })], target: verdict(isOpen ? 'ACCEPT' : 'DROP'), owner: networkWords(network),
    reason: isOpen ? `${networkWords(network)} is nat-unprotected: every port of its containers is open to whom routing leads there` : `ports of ${networkWords(network)} that are not published are closed`,
  })
}

function acceptAnswers({ bridge, network }: NetworkView): Step {
  return append(inFilter(CHAIN.connections), {
    matches: [header({ outDevice: bridge }), ofConnections], target: verdict('ACCEPT'), owner: networkWords(network), reason: `answers to containers of ${networkWords(network)} pass`,
  })
}

function openPorts({ bridge, network }: NetworkView): Step {
  return append(inFilter(CHAIN.bridge), {
    matches: [header({ outDevice: bridge })], target: jumpTo(CHAIN.docker), owner: networkWords(network), reason: `what is sent into ${networkWords(network)} needs a port that is open`,
  })
}
