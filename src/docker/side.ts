/** A host seen from one family: what all functions that make rules are given. */

import { writePrefix } from '../net/address.ts'
import type { Family } from '../net/address.ts'
import type { DaemonOptions } from './daemon-options.ts'
import type { Engine } from './engine.ts'
import type { DockerNetwork, NetworkSide } from './model.ts'

/** Engine, options and the family that rules are for. */
export interface RuleContext {
  readonly family: Family
  readonly engine: Engine
  readonly options: DaemonOptions
}

/** A network of one family. */
export interface NetworkView extends NetworkSide {
  readonly network: DockerNetwork
  readonly bridge: string
}

/** Returns what a network has in a family, undefined where it has nothing. */
export function viewOf(network: DockerNetwork, family: Family): NetworkView | undefined {
  const side = network.sides[family]
  return side && { ...side, network, bridge: network.bridge }
}

/** Returns how sentences call a network. */
export function networkWords(network: DockerNetwork): string {
  return `network ${network.name}`
}

/** Returns how sentences call a network's subnet. */
export function subnetWords(view: NetworkView): string {
  return `${writePrefix(view.prefix)} (${networkWords(view.network)})`
}

/** Tells whether the host itself must translate what the userland proxy would carry otherwise. */
export function isHairpin({ options }: RuleContext): boolean {
  return !options.userlandProxy
}
