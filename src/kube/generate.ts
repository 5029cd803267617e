/** A node's services -> the rules that kube-proxy writes in iptables mode, in its order. */

import { applyStep, bookLines, openBook } from '../draft/rule-book.ts'
import type { BookLine } from '../draft/rule-book.ts'
import { flushChain, inNat } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import { tableNamed } from '../ir/ruleset.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { endpointSteps } from './endpoint-rules.ts'
import { familiesOf } from './model.ts'
import type { KubeNode } from './model.ts'
import { SERVICE_PREFIXES } from './names.ts'
import { serviceSteps } from './service-rules.ts'
import { viewOf } from './service-view.ts'
import { closingSteps, jumpSteps, openingSteps } from './static-rules.ts'

/** With more endpoints than these their rules carry no comments. */
const LARGE_CLUSTER = 1000

/** Returns the lines of `iptables-save` (or `ip6tables-save`); of a family without services only what was there before. */
export function generateRules(node: KubeNode, family: Family, base?: Ruleset): readonly BookLine[] {
  const book = openBook(family, base)
  if (familiesOf(node).includes(family)) for (const step of stepsOf(node, family, base)) applyStep(book, step)
  return bookLines(book)
}

function* stepsOf({ services, options }: KubeNode, family: Family, base: Ruleset | undefined): Iterable<Step> {
  const views = services.flatMap(service => viewOf(service, family, options) ?? [])
  const endpointCount = views.reduce((sum, view) => sum + view.endpointCount, 0)
  const stale = staleChains(base)
  yield* jumpSteps()
  yield* openingSteps(options, family)
  for (const chain of stale) yield flushChain(inNat(chain))
  const written = new Set<string>()
  for (const view of views) {
    for (const step of [...serviceSteps(view), ...endpointSteps(view, endpointCount > LARGE_CLUSTER ? 'left out' : 'told')]) {
      written.add(step.chain)
      yield step
    }
  }
  yield* closingSteps(options, family)
  for (const chain of stale) if (!written.has(chain)) yield { kind: 'removeChain', table: 'nat', chain }
}

/** Chains of services and endpoints that a host had before; those that are gone are taken away. */
function staleChains(base: Ruleset | undefined): readonly string[] {
  const chains = base ? tableNamed(base, 'nat')?.chains : undefined
  return (chains ?? []).map(({ name }) => name).filter(name => SERVICE_PREFIXES.some(prefix => name.startsWith(prefix)))
}
