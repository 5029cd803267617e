/** A host -> the rules that its engine writes, in its order. */

import { addTable, applyStep, bookLines, openBook } from '../draft/rule-book.ts'
import type { BookLine } from '../draft/rule-book.ts'
import type { Step } from '../draft/step.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { classicNetworkSteps } from './classic-network-rules.ts'
import { isAtLeast, isClassic } from './engine.ts'
import { linkSteps } from './link-rules.ts'
import type { DockerHost, DockerNetwork, Join } from './model.ts'
import { externalNetworkSteps, internalNetworkSteps, isolationSteps } from './network-rules.ts'
import { endpointSteps, portSteps } from './port-rules.ts'
import { leftoverSteps, restartSteps } from './restart-rules.ts'
import { viewOf } from './side.ts'
import type { RuleContext } from './side.ts'
import { staticSteps } from './static-rules.ts'
import { swarmSteps } from './swarm-rules.ts'

/** Returns the lines of `iptables-save` (or `ip6tables-save`) on a host. `base` is what was there before the engine started; without it nat and filter are there and empty. */
export function generateRules(host: DockerHost, family: Family, base?: Ruleset): readonly BookLine[] {
  const book = openBook(family, base)
  if (!base) for (const table of ['nat', 'filter'] as const) addTable(book, table)
  const context: RuleContext = { family, engine: host.engine, options: host.options }
  const isOn = family === 'ipv4' ? host.options.iptables : host.options.ip6tables
  if (!isOn) return bookLines(book)
  const steps = base ? [...restartSteps(host, context), ...stepsOf(host, context), ...leftoverSteps(host, context)] : stepsOf(host, context)
  for (const step of steps) applyStep(book, step)
  return bookLines(book)
}

function* stepsOf(host: DockerHost, context: RuleContext): Iterable<Step> {
  yield* staticSteps(context)
  yield* policySteps(host, context)
  for (const network of host.networks) yield* networkSteps(network, context)
  for (const join of host.joins) yield* joinSteps(join, context)
  if (host.ingress) yield* swarmSteps(host.ingress, context)
}

function networkSteps(network: DockerNetwork, context: RuleContext): readonly Step[] {
  if (isClassic(context.engine)) return classicNetworkSteps(network, context)
  const view = viewOf(network, context.family)
  const steps = !view ? [] : network.isInternal ? internalNetworkSteps(view, context) : externalNetworkSteps(view, context)
  // 28.0.0 keeps networks apart in both families, whether or not they have them.
  const isolation = context.engine.flavor === '28.0.0' && !network.isInternal ? isolationSteps(network, view?.mode ?? 'nat') : []
  return [...steps, ...isolation]
}

/** Up to 28 links are written when the ports are published, after them. */
function joinSteps({ sandbox, endpoint, links, bindings }: Join, context: RuleContext): readonly Step[] {
  const ofLinks = links.flatMap(link => linkSteps(link, context))
  const ofPorts = bindings.flatMap(binding => portSteps(sandbox, binding, context))
  const ofEndpoint = endpointSteps(sandbox, endpoint, context)
  return isAtLeast(context.engine, 29) ? [...ofEndpoint, ...ofLinks, ...ofPorts] : [...ofEndpoint, ...ofPorts, ...ofLinks]
}

/** Who turns forwarding on makes the host a router for everybody, unless FORWARD drops by default. */
function policySteps({ engine, options, networks }: DockerHost, { family }: RuleContext): readonly Step[] {
  const drop: Step = { kind: 'policy', table: 'filter', chain: 'FORWARD', policy: 'DROP', reason: 'the engine turned forwarding on: what no rule accepts is not forwarded' }
  const turnsOn = options.ipForward && !options.hostForwards && !(options.ipForwardNoDrop && isAtLeast(engine, 28))
  if (isClassic(engine)) return family === 'ipv6' || (options.ipForward && !options.hostForwards) ? [drop] : []
  return turnsOn && networks.some(network => network.sides[family] !== undefined) ? [drop] : []
}
