/** The rules of ports that a swarm publishes, on the host itself. Source: daemon/libnetwork/service_linux.go programIngress(). */

import { fromLocal, header, hideBehind, jumpTo, ofConnections, ofConnectionsByState, portOf, sendTo, toLocal, verdict } from '../draft/rule-parts.ts'
import { append, inFilter, inNat, insert, keepOnTop, makeChain } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import { CHAIN } from './chains.ts'
import { isAtLeast, isClassic } from './engine.ts'
import type { SwarmIngress } from './model.ts'
import type { RuleContext } from './side.ts'
import { userChain } from './static-rules.ts'

const OWNER = 'the swarm'

/** Returns the steps that publish the ports; IPv4 only. */
export function swarmSteps(ingress: SwarmIngress, context: RuleContext): readonly Step[] {
  const address = ingress.sandbox.endpoints[0]?.addresses.ipv4
  if (context.family !== 'ipv4' || ingress.ports.length === 0 || address === undefined) return []
  const replies = isAtLeast(context.engine, 25) ? ofConnections : ofConnectionsByState
  return [
    ...chainSteps(context),
    insert(inNat('POSTROUTING'), {
      matches: [header({ outDevice: ingress.network.bridge }), fromLocal], target: hideBehind(undefined), owner: OWNER, reason: 'the ingress sandbox sees the address of its bridge where the host itself asks, which it can answer',
    }),
    ...ingress.ports.flatMap(({ protocol, published }) => [
      insert(inNat(CHAIN.ingress), { matches: portOf(protocol, 'dport', published), target: sendTo(address, published), owner: OWNER, reason: `port ${published}/${protocol} of the host goes to the ingress sandbox, which finds a task` }),
      insert(inFilter(CHAIN.ingress), { matches: [...portOf(protocol, 'sport', published), replies], target: verdict('ACCEPT'), owner: OWNER, reason: `answers from port ${published}/${protocol} pass` }),
      insert(inFilter(CHAIN.ingress), { matches: portOf(protocol, 'dport', published), target: verdict('ACCEPT'), owner: OWNER, reason: `port ${published}/${protocol} is published by the swarm` }),
    ]),
  ]
}

function chainSteps(context: RuleContext): readonly Step[] {
  const { engine } = context
  const inForward = isClassic(engine) || engine.flavor === '28.0.0'
  const jump = isClassic(engine) ? insert : keepOnTop
  const end = { matches: [], target: verdict('RETURN'), owner: OWNER, reason: 'what is for no port of the swarm goes on' }
  const natJump = { matches: [toLocal], target: jumpTo(CHAIN.ingress), owner: OWNER, reason: 'packets for an address of the host may be for a port of the swarm' }
  return [
    makeChain(inNat(CHAIN.ingress)), makeChain(inFilter(CHAIN.ingress)), append(inNat(CHAIN.ingress), end), append(inFilter(CHAIN.ingress), end),
    jump(inNat('OUTPUT'), natJump), jump(inNat('PREROUTING'), natJump),
    keepOnTop(inFilter(inForward ? 'FORWARD' : CHAIN.forward), { matches: [], target: jumpTo(CHAIN.ingress), owner: OWNER, reason: 'ports of the swarm come before those of containers' }),
    ...(inForward ? userChain(context) : []),
  ]
}
