/** Random pods and services: what is generated is read back and written again as it was, loading it would refuse nothing, and who writes once more changes nothing. */

import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { generateRules as generateNetworkRules } from '../../src/cni/generate.ts'
import { readNetworks } from '../../src/cni/read-networks.ts'
import { toTopology } from '../../src/cni/to-topology.ts'
import { textOfLines } from '../../src/draft/rule-book.ts'
import type { BookLine } from '../../src/draft/rule-book.ts'
import { checkRuleset } from '../../src/extensions/check-ruleset.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { generateRules as generateProxyRules } from '../../src/kube/generate.ts'
import { readCluster } from '../../src/kube/read-cluster.ts'
import type { Family } from '../../src/net/address.ts'
import { readRuleset } from '../../src/save/read.ts'
import { writeRuleset } from '../../src/save/write.ts'
import { assumedHost } from '../../src/topology/assumed-host.ts'
import { mangled } from './mangle.ts'

const port = fc.integer({ min: 1, max: 65535 })
const protocol = fc.constantFrom('tcp', 'udp', 'sctp')
const policy = fc.constantFrom('Cluster', 'Local')

const mapping = fc.record({ hostPort: port, containerPort: port, protocol }).chain(one => fc.constantFrom<object>({}, { hostIP: '127.0.0.1' }, { hostIP: '::1' }, { hostIP: '0.0.0.0' }, { hostIP: '192.0.2.10' }).map(more => ({ ...one, ...more })))

const network = fc.record({
  bridge: fc.record({ ipMasq: fc.boolean(), isGateway: fc.boolean(), ranges: fc.subarray(['10.22.0.0/16', '2001:db8:22::/64'], { minLength: 1 }) }),
  firewall: fc.option(fc.record({ ingressPolicy: fc.constantFrom('open', 'same-bridge', 'isolated') })),
  portmap: fc.record({ snat: fc.boolean(), masqAll: fc.boolean(), markMasqBit: fc.integer({ min: 0, max: 31 }) }),
  pods: fc.array(fc.array(mapping, { maxLength: 18 }), { maxLength: 4 }),
})

const endpoint = fc.record({ host: fc.integer({ min: 1, max: 250 }), ready: fc.boolean(), terminating: fc.boolean(), local: fc.boolean() })
const service = fc.record({
  protocol, port, type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer'), externalTrafficPolicy: policy, internalTrafficPolicy: policy,
  sessionAffinity: fc.constantFrom('None', 'ClientIP'), hasExternal: fc.boolean(), hasRanges: fc.boolean(), endpoints: fc.uniqueArray(endpoint, { maxLength: 4, selector: ({ host }) => host }),
})
const cluster = fc.record({ masqueradeAll: fc.boolean(), localhostNodePorts: fc.boolean(), hasPods: fc.boolean(), services: fc.array(service, { maxLength: 6 }) })

describe('generated rules', () => {
  test('of pods', () => {
    fc.assert(fc.property(network, given => {
      const list = JSON.stringify({
        cniVersion: '1.0.0', name: 'net',
        plugins: [
          { type: 'bridge', ipMasq: given.bridge.ipMasq, isGateway: given.bridge.isGateway, ipam: { type: 'host-local', ranges: given.bridge.ranges.map(subnet => [{ subnet }]) } },
          ...(given.firewall ? [{ type: 'firewall', ...given.firewall }] : []),
          { type: 'portmap', ...given.portmap, capabilities: { portMappings: true } },
        ],
        'x-containers': Object.fromEntries(given.pods.map((mappings, index) => [`pod-${index}`, mappings])),
      })
      const { value, diagnostics } = readNetworks([{ path: 'net.conflist', text: list }], [])
      expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
      expectStable((family, base) => generateNetworkRules(value, family, base))
    }), { numRuns: 12 })
  })

  test('of services', () => {
    fc.assert(fc.property(cluster, given => {
      const text = JSON.stringify({ masqueradeAll: given.masqueradeAll, localhostNodePorts: given.localhostNodePorts, ...(given.hasPods ? { clusterCIDR: '10.244.0.0/16' } : {}), services: given.services.map(describeService) })
      const { value, diagnostics } = readCluster([{ path: 'services.yaml', text }], {})
      expect(diagnostics).toEqual([])
      expectStable((family, base) => generateProxyRules(value, family, base))
    }), { numRuns: 12 })
  })
})

/** Random texts of each kind; many by `RUNS=...`. */
const RUNS = Number(process.env['RUNS'] ?? 20)

const texts = (folders: readonly string[]): readonly string[] => folders.flatMap(folder => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => /\.(yaml|conflist)$/.test(name)).map(name => readFileSync(`${folder}/${name}`, 'utf8')))

describe('what comes of any text can be loaded', () => {
  test('of networks', () => {
    fc.assert(fc.property(mangled(texts(['fixtures/cni/hosts'])), text => {
      const { value, diagnostics } = readNetworks([{ path: 'network', text }], [{ path: 'pods', text }])
      toTopology(value, assumedHost([]).namespace)
      expectLoadable(family => generateNetworkRules(value, family), diagnostics.some(({ code }) => code === 'foreign-chain'))
    }), { numRuns: RUNS })
  })

  test('of objects', () => {
    fc.assert(fc.property(mangled(texts(['fixtures/kube/clusters'])), text => {
      const { value } = readCluster([{ path: 'objects', text }], {})
      expectLoadable(family => generateProxyRules(value, family))
    }), { numRuns: RUNS })
  })
})

/** `foreign`: rules lead to a chain that others make, which is not there. */
function expectLoadable(generate: (family: Family) => readonly BookLine[], foreign = false): void {
  for (const family of ['ipv4', 'ipv6'] as const) {
    const { diagnostics } = readRuleset([{ path: 'rules', text: textOfLines(generate(family)) }], { family })
    expect(diagnostics.filter(({ severity, code }) => severity === 'error' && !(foreign && code === 'unknown-target')).map(({ message }) => message)).toEqual([])
  }
}

function describeService({ hasExternal, hasRanges, endpoints, ...given }: { hasExternal: boolean; hasRanges: boolean; type: string; endpoints: { host: number; ready: boolean; terminating: boolean; local: boolean }[] }, index: number): object {
  return {
    ...given, name: `ns/s${index}:p`, clusterIPs: [`10.96.0.${index + 1}`, `fd00:10:96::${index + 1}`],
    ...(given.type === 'ClusterIP' ? {} : { nodePort: 30000 + index }),
    ...(given.type === 'LoadBalancer' ? { loadBalancerIPs: [`203.0.113.${index + 1}`, `2001:db8:1::${index + 1}`], healthCheckNodePort: 32000 + index } : {}),
    ...(hasExternal ? { externalIPs: [`198.51.100.${index + 1}`] } : {}),
    ...(hasRanges ? { loadBalancerSourceRanges: ['192.0.2.0/24', '2001:db8:2::/48'] } : {}),
    endpoints: endpoints.flatMap(({ host, ...state }) => [{ address: `10.244.0.${host}:80`, ...state }, { address: `[fd00:10:244::${host}]:80`, ...state }]),
  }
}

function expectStable(generate: (family: Family, base?: Ruleset) => readonly BookLine[]): void {
  for (const family of ['ipv4', 'ipv6'] as const) {
    const text = textOfLines(generate(family))
    const { value, diagnostics } = readRuleset([{ path: 'rules', text }], { family })
    expect([...diagnostics, ...checkRuleset(value)].filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([])
    expect(writeRuleset(value, { tableOrder: 'file' })).toBe(text)
    expect(textOfLines(generate(family, value))).toBe(text)
  }
}
