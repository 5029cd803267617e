/** Which way frames go between namespaces: what the run of several hosts asks about links, bridges and neighbours. */

import type { Address } from '../net/address.ts'

/** Whom the frames of a device are for. */
export interface FrameQuestion extends NeighbourQuestion {
  /** What the packet had namespaces ask before: who answered knows who asked, and asks no more. */
  readonly asked: readonly NeighbourQuestion[]
}

/** Who is asked for. */
export interface NeighbourQuestion {
  readonly namespace: string
  readonly device: string
  readonly nextHop: Address
  /** The packet's source where it is an own address of the namespace, in whose name the next hop is asked for. */
  readonly source: Address | undefined
}

/** Returns a text that is equal for equal questions only. */
export function keyOfQuestion({ namespace, device, nextHop, source }: NeighbourQuestion): string {
  return `${namespace} ${device} ${nextHop} ${source ?? ''}`
}

/** `nobody` answers for the next hop; `group`: the frame is for more than one; several ways where a frame may leave the described world by several wires. */
export type FrameAnswer = { readonly kind: 'nobody' | 'group' } | { readonly kind: 'ways'; readonly ways: readonly FrameWay[] }

/** The way of a frame from a device to whoever takes it. */
export interface FrameWay {
  /** The device or bridge port of the sender's namespace by which it goes. */
  readonly port: string
  /** 12 hex digits. */
  readonly macSource: string
  readonly crossings: readonly BridgeCrossing[]
  readonly end: FrameEnd
}

/** A bridge on the way; `isTagged`: it carries a vlan tag, and iptables is not asked. */
export interface BridgeCrossing {
  readonly namespace: string
  readonly bridge: string
  readonly inPort: string
  readonly outPort: string
  readonly isTagged: boolean
}

/** Who takes a frame: a device (with `port` a bridge that got it by this port); nobody that is described; nobody at all. */
export type FrameEnd =
  | { readonly kind: 'taken'; readonly namespace: string; readonly device: string; readonly port?: string }
  | { readonly kind: 'leaves'; readonly namespace: string; readonly device: string }
  | { readonly kind: 'lost' }

/** Finds the way of frames. */
export type FindFrameWays = (question: FrameQuestion) => FrameAnswer
