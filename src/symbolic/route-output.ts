/** Routing of what the host sends, for sets of packets. The mirror of the simulator's route-output.ts. */

import type { DrawnWay } from './drawn-way.ts'
import type { PacketClass } from './packet-class.ts'
import type { Rewriting } from './rewriting.ts'
import type { Run } from './run.ts'
import type { Drawn, ForwardWay, OutputWay } from './surroundings.ts'
import { keyOfValue } from './value.ts'

/** Returns the packets with the device by which they leave. Those without a route end. */
export function routeOutput(run: Run, packets: PacketClass): readonly PacketClass[] {
  return takeWays(run, packets, run.surroundings.outputWays, undefined)
}

/** Looks the route up again for packets that OUTPUT changed. */
export function rerouteClasses(run: Run, packets: PacketClass): readonly PacketClass[] {
  return takeWays(run, packets, run.surroundings.rerouteWays, 'OUTPUT')
}

/** `rules` of the hook that is being run go on seeing the device of before: the new one counts from POSTROUTING on. */
function takeWays(run: Run, { rewriting, set }: PacketClass, ways: readonly OutputWay[], hook: 'OUTPUT' | undefined): readonly PacketClass[] {
  const { sets, rewritings, surroundings } = run
  const routed: PacketClass[] = []
  let rest = set
  for (const { when, way } of ways) {
    if (rest === sets.none) break
    const holds = run.setOf(when, rewriting)
    const here = sets.intersect(rest, holds)
    if (here === sets.none) continue
    rest = sets.subtract(rest, holds)
    if (way.kind === 'none') run.end('drop', { kind: 'kernel', reason: 'no-output-route', ...(hook ? { hook } : {}) }, { rewriting, set: here })
    else if (way.kind === 'drawn') routed.push({ rewriting: rewritings.with(rewriting, { nextDevice: drawnWay(run, rewriting, way) }), set: here })
    else if (way.device === undefined) routed.push({ rewriting, set: here })
    else if (hook) routed.push({ rewriting: rewritings.with(rewriting, { nextDevice: way.device, ...(surroundings.isLinked ? { gateway: way.gateway } : {}) }), set: here })
    else routed.push(onWay(run, { rewriting, set: here }, way))
  }
  if (rest !== sets.none) run.end('drop', { kind: 'kernel', reason: 'no-output-route', ...(hook ? { hook } : {}) }, { rewriting, set: rest })
  return routed
}

/** By what routes may be looked up besides the destination. */
const ROUTED_BY = ['ip.dst', 'ip.src', 'mark', 'ip.tos'] as const

/** Returns the way that is drawn for packets: that of their new destination, or of what else was rewritten where that stayed. */
export function drawnWay({ rewritings }: Run, rewriting: Rewriting, { devices }: Drawn): DrawnWay {
  const fields = rewriting.values.has('ip.dst') ? (['ip.dst'] as const) : ROUTED_BY
  return { to: fields.map(field => keyOfValue(rewritings.valueOf(rewriting, field))).join(' '), devices }
}

/** Returns packets on their way out. A host by itself has the device as a field of the packet, so that classes need not be kept apart by it. */
export function onWay({ sets, rewritings, surroundings }: Run, { rewriting, set }: PacketClass, { device, gateway }: ForwardWay): PacketClass {
  if (device === undefined) return { rewriting, set }
  if (surroundings.isLinked) return { rewriting: rewritings.with(rewriting, { devices: { 'device.out': device }, gateway }), set }
  return { rewriting, set: sets.intersect(set, sets.setOfDevice('device.out', { name: device, prefix: false })) }
}
