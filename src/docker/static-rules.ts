/** What the engine writes when it starts, before it knows any network. Source: daemon/libnetwork/drivers/bridge/internal/iptabler/iptabler.go setupIPChains(). */

import { header, inSet, jumpTo, loopbackPrefix, not, ofConnections, toLocal, verdict } from '../draft/rule-parts.ts'
import { append, ENGINE, inFilter, inNat, insert, keepOnTop, makeChain } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import { BRIDGE_SET, CHAIN } from './chains.ts'
import { hasUserChain6, hasIsolationStages, isAtLeast, isClassic, userChainReturns } from './engine.ts'
import { isHairpin } from './side.ts'
import type { RuleContext } from './side.ts'

/** Returns the steps of a start. */
export function staticSteps(context: RuleContext): readonly Step[] {
  const { engine } = context
  const steps = isClassic(engine) ? classicSteps() : engine.flavor === '28.0.0' ? ipsetSteps(context) : forwardSteps(context)
  return [...steps, ...mirroredLoopback(context), ...(isClassic(engine) ? [] : userChain(context))]
}

function classicSteps(): readonly Step[] {
  return [
    makeChain(inNat(CHAIN.docker)), makeChain(inFilter(CHAIN.docker)), makeChain(inFilter(CHAIN.stage1)), makeChain(inFilter(CHAIN.stage2)),
    stageReturns(CHAIN.stage1), stageReturns(CHAIN.stage2),
  ]
}

function ipsetSteps(context: RuleContext): readonly Step[] {
  const bridges = inSet(BRIDGE_SET[context.family])
  const forward = inFilter('FORWARD')
  return [
    makeChain(inNat(CHAIN.docker)), makeChain(inFilter(CHAIN.docker)), makeChain(inFilter(CHAIN.stage1)), makeChain(inFilter(CHAIN.stage2)),
    ...natJumps(context),
    keepOnTop(forward, { matches: [bridges], target: jumpTo(CHAIN.docker), owner: ENGINE, reason: 'what is sent to a container needs a port that is open there' }),
    keepOnTop(forward, { matches: [], target: jumpTo(CHAIN.stage1), owner: ENGINE, reason: 'networks are kept apart before anything is accepted' }),
    keepOnTop(forward, { matches: [bridges, ofConnections], target: verdict('ACCEPT'), owner: ENGINE, reason: 'answers to containers pass' }),
  ]
}

function forwardSteps(context: RuleContext): readonly Step[] {
  const apart = hasIsolationStages(context.engine) ? [CHAIN.stage1, CHAIN.stage2] : [CHAIN.internal]
  const forward = inFilter(CHAIN.forward)
  const first = apart[0] ?? CHAIN.internal
  return [
    makeChain(inNat(CHAIN.docker)),
    ...[CHAIN.docker, CHAIN.forward, CHAIN.bridge, CHAIN.connections, ...apart].map(chain => makeChain(inFilter(chain))),
    ...natJumps(context),
    keepOnTop(inFilter('FORWARD'), { matches: [], target: jumpTo(CHAIN.forward), owner: ENGINE, reason: 'everything that is forwarded goes through the rules of the engine' }),
    keepOnTop(forward, { matches: [], target: jumpTo(CHAIN.bridge), owner: ENGINE, reason: 'what is sent to a container needs a port that is open there' }),
    keepOnTop(forward, { matches: [], target: jumpTo(first), owner: ENGINE, reason: first === CHAIN.internal ? 'internal networks are shut before anything accepts' : 'networks are kept apart before anything is accepted' }),
    keepOnTop(forward, { matches: [], target: jumpTo(CHAIN.connections), owner: ENGINE, reason: 'answers to containers pass first' }),
  ]
}

/** Returns the jumps of table nat to the published ports. */
export function natJumps(context: RuleContext): readonly Step[] {
  const isForAll = isHairpin(context)
  const loopback = context.family === 'ipv4' ? '127.0.0.1' : '::1'
  const away = isForAll ? [] : [header({ destination: not(loopbackPrefix(context.family)) })]
  return [
    append(inNat('PREROUTING'), { matches: [toLocal], target: jumpTo(CHAIN.docker), owner: ENGINE, reason: 'packets for an address of the host may be for a published port' }),
    append(inNat('OUTPUT'), {
      matches: [...away, toLocal], target: jumpTo(CHAIN.docker), owner: ENGINE,
      reason: isForAll ? `the host itself reaches published ports too, by ${loopback} as well` : `the host itself reaches published ports too; by ${loopback} the userland proxy serves them`,
    }),
  ]
}

function stageReturns(chain: string): Step {
  return append(inFilter(chain), { matches: [], target: verdict('RETURN'), owner: ENGINE, reason: 'what no rule above stops goes on' })
}

/** Windows sends what goes to its own 127.0.0.1 to the device loopback0: the proxy serves it. */
function mirroredLoopback(context: RuleContext): readonly Step[] {
  const { options, family, engine } = context
  if (!options.wsl2Mirrored || isHairpin(context) || family !== 'ipv4' || !isAtLeast(engine, 27, 3)) return []
  return [insert(inNat(CHAIN.docker), {
    matches: [header({ destination: loopbackPrefix(family), inDevice: 'loopback0' })], target: verdict('RETURN'), owner: ENGINE,
    reason: 'what Windows sends to its 127.0.0.1 is served by the userland proxy',
  })]
}

/** Returns the steps that make DOCKER-USER and put it first in FORWARD: at the start, up to 27 after every network. */
export function userChain({ engine, family }: RuleContext): readonly Step[] {
  if (family === 'ipv6' && !hasUserChain6(engine)) return []
  const end = append(inFilter(CHAIN.user), { matches: [], target: verdict('RETURN'), owner: ENGINE, reason: 'what your own rules above do not decide goes on' })
  return [
    makeChain(inFilter(CHAIN.user)),
    ...(userChainReturns(engine) ? [end] : []),
    keepOnTop(inFilter('FORWARD'), { matches: [], target: jumpTo(CHAIN.user), owner: ENGINE, reason: 'your own rules come before those of the engine' }),
  ]
}
