/** What describes a host's networks -> the rules that their engines write, in their order. */

import { applyStep, bookLines, openBook } from '../draft/rule-book.ts'
import type { BookLine } from '../draft/rule-book.ts'
import type { Step } from '../draft/step.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { bridgeSteps } from './bridge-rules.ts'
import { calicoSteps } from './calico-rules.ts'
import type { CalicoNode } from './calico.ts'
import { firewallSteps } from './firewall-rules.ts'
import { flannelSteps } from './flannel.ts'
import type { FlannelNode } from './flannel.ts'
import type { CniHost, CniPlugin, Pod } from './model.ts'
import { netavarkSteps } from './netavark-rules.ts'
import type { NetavarkHost } from './netavark.ts'
import { portmapSteps } from './portmap-rules.ts'

/** What one engine is asked for. */
export type NetworkPart =
  | { readonly kind: 'cni'; readonly host: CniHost }
  | { readonly kind: 'flannel'; readonly node: FlannelNode }
  | { readonly kind: 'netavark'; readonly host: NetavarkHost }
  | { readonly kind: 'calico'; readonly node: CalicoNode }

/** Returns the lines of `iptables-save` (or `ip6tables-save`); none where no engine has written anything. `base` is what was there before. */
export function generateRules(parts: readonly NetworkPart[], family: Family, base?: Ruleset): readonly BookLine[] {
  const book = openBook(family, base)
  for (const part of parts) for (const step of stepsOf(part, family)) applyStep(book, step)
  return bookLines(book)
}

function stepsOf(part: NetworkPart, family: Family): readonly Step[] {
  if (part.kind === 'flannel') return flannelSteps(part.node, family)
  if (part.kind === 'calico') return calicoSteps(part.node, family)
  if (part.kind === 'netavark') return netavarkSteps(part.host, family)
  return part.host.pods.flatMap(pod => pod.joined.plugins.flatMap(plugin => pluginSteps(plugin, pod, family)))
}

/** Each plugin is run for a pod before the next one. */
function pluginSteps(plugin: CniPlugin, pod: Pod, family: Family): readonly Step[] {
  if (plugin.kind === 'bridge') return bridgeSteps(plugin, pod, family)
  return plugin.kind === 'firewall' ? firewallSteps(plugin, pod, family) : portmapSteps(plugin, pod, family)
}
