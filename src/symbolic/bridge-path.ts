/** Sets of packets on a bridge port: up into the host, or across. The mirror of the simulator's bridge-path.ts. */

import { byDestination, goOn, routeClasses } from './ip-path.ts'
import { joinClasses } from './packet-class.ts'
import type { PacketClass } from './packet-class.ts'
import type { Run } from './run.ts'
import { runHook } from './run-hook.ts'

/** Where packets come in. */
export interface BridgePort {
  readonly bridge: string
  readonly port: string
}

/** Packets behind PREROUTING: with the destination that they had, and those that nat sends back to a neighbour on the same bridge. */
export interface OnBridge {
  readonly unchanged: readonly PacketClass[]
  readonly turned: readonly PacketClass[]
}

/** Runs PREROUTING for packets on a port. What nat gives another destination elsewhere goes up: its fate is noted in the run. */
export function enterBridge(run: Run, { bridge, port }: BridgePort, { rewriting, set }: PacketClass): OnBridge {
  const entering = run.rewritings.with(rewriting, { devices: { 'device.in': bridge, 'bridge.in': port } })
  const after = [...runHook(run, 'PREROUTING', new Map([[entering, set]]))].map(([now, left]): PacketClass => ({ rewriting: now, set: left }))
  const { unchanged, changed } = byDestination(run, [entering], after)
  const { delivered, forwarded } = routeClasses(run, changed)
  const isTurned = (packets: PacketClass): boolean => packets.rewriting.devices['device.out'] === bridge
  goOn(run, { delivered, forwarded: forwarded.filter(packets => !isTurned(packets)) })
  return { unchanged, turned: forwarded.filter(isTurned) }
}

/** Returns the packets that FORWARD and POSTROUTING let out by a port of the same bridge. */
export function crossBridge(run: Run, { bridge, port }: BridgePort, list: readonly PacketClass[]): readonly PacketClass[] {
  const { sets, rewritings } = run
  const bridged = rewritings.constant('bridge.forwarded', 1)
  const crossing = list.map(({ rewriting, set }): PacketClass => ({ rewriting: rewritings.with(rewriting, { devices: { 'device.out': bridge, 'bridge.out': port }, values: new Map([['bridge.forwarded' as const, bridged]]) }), set }))
  const passing = [...runHook(run, 'FORWARD', joinClasses(sets, crossing))].map(([rewriting, set]): PacketClass => ({ rewriting: rewritings.with(rewriting, { devices: { 'device.in': '' } }), set }))
  return [...runHook(run, 'POSTROUTING', joinClasses(sets, passing))].map(([rewriting, set]) => ({ rewriting, set }))
}
