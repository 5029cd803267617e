/** Flows of kube-proxy's own tests: reach finds all endpoints of each at once, as the kernel reached them one by one. */

import { expect, test } from 'vitest'
import { reachability } from '../src/analyze/reachability.ts'
import type { ReachGroup } from '../src/analyze/reachability.ts'
import { readReachQuery } from '../src/analyze/reach-query.ts'
import { writeEndpoint } from '../src/packet/endpoint.ts'
import type { Ruleset } from '../src/ir/ruleset.ts'
import { readRuleset } from '../src/save/read.ts'
import { constantOf } from '../src/symbolic/value.ts'
import { readKubeFlows } from './corpora/case-files.ts'
import type { KubeFlow } from './corpora/case-files.ts'
import { topologyOf } from './corpora/flow-files.ts'

const flows = readKubeFlows()

test.skipIf(flows.length === 0)(`reach answers ${flows.length} flows of kube-proxy for all endpoints`, () => {
  const rulesets = new Map<string, Ruleset>()
  const rulesetOf = ({ name, ruleset, file }: KubeFlow): Ruleset => {
    const known = rulesets.get(ruleset) ?? readRuleset([{ path: name, text: ruleset }], { family: file.family === 4 ? 'ipv4' : 'ipv6' }).value
    rulesets.set(ruleset, known)
    return known
  }
  const differences = flows.flatMap(flow => {
    const query = readReachQuery(flow.question)
    const [namespace] = topologyOf(flow.file).namespaces
    if (!query.ok || !namespace) return [`${flow.name}: ${flow.question} cannot be read`]
    const { through, ended } = reachability({ ruleset: rulesetOf(flow), query: query.value, namespace })
    const translated = through.filter(isTranslated)
    const kinds = [...new Set([...through, ...ended].map(({ fate }) => (fate.kind === 'forward' || fate.kind === 'sent' ? 'out' : fate.kind)))]
    const found = { kinds, endpoints: [...new Set(translated.map(endpointOf))].sort(), isMasqueraded: through.some(({ fate }) => fate.rewriting.values.has('ip.src')) }
    const wanted = { kinds: flow.kinds, endpoints: flow.endpoints.toSorted(), isMasqueraded: flow.isMasqueraded }
    const unsure = through.some(({ example }) => !example) || (found.endpoints.length > 1 && translated.some(({ example }) => example?.conditions.length === 0))
    return JSON.stringify(found) === JSON.stringify(wanted) && !unsure ? [] : [`${flow.name}: ${flow.question}: ${JSON.stringify(found)} for ${JSON.stringify(wanted)}${unsure ? ', without example or condition' : ''}`]
  })
  console.log(`kube-proxy: ${flows.length - differences.length} of ${flows.length} flows are answered for all endpoints`)
  expect(differences.slice(0, 20)).toEqual([])
})

function isTranslated({ fate }: ReachGroup): boolean {
  return fate.rewriting.values.has('ip.dst')
}

function endpointOf({ fate: { rewriting } }: ReachGroup): string {
  const [address, port] = [rewriting.values.get('ip.dst'), rewriting.values.get('l4.dport')]
  const number = (address && constantOf(address)) ?? 0n
  return writeEndpoint({ address: address?.width === 32 ? Number(number) : number, port: Number((port && constantOf(port)) ?? 0n) })
}
