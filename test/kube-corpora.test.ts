/**
 * Rulesets of kube-proxy's own unit tests, taken back to the services that they are for: what is generated from those must be the same rules.
 * The order between services is open; within a service's chains it is not.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { textOfLines } from '../src/draft/rule-book.ts'
import { generateRules } from '../src/kube/generate.ts'
import { DEFAULT_OPTIONS } from '../src/kube/model.ts'
import type { Endpoint, KubeNode, ProxyOptions, ServicePort } from '../src/kube/model.ts'
import { readAddress, readPrefix } from '../src/net/address.ts'
import type { Address, Family, Prefix } from '../src/net/address.ts'
import { PORT_PROTOCOLS } from '../src/net/protocol.ts'
import { readRuleset } from '../src/save/read.ts'
import { writeRule } from '../src/save/write-rule.ts'

const FLOWS = '../shared/corpora/packet-flows/rules'

/** Not written by one run of kube-proxy: the sample of the test that checks the tests. */
const SAMPLES = ['kube-proxy-001-TestTracePacket.rules']

/** Chains whose rules belong to several services. */
const SHARED = /^(KUBE-SERVICES|KUBE-EXTERNAL-SERVICES|KUBE-NODEPORTS|KUBE-PROXY-FIREWALL)$/

type Chains = ReadonlyMap<string, readonly string[]>

describe.skipIf(!existsSync(FLOWS))('rulesets of kube-proxy', () => {
  const files = existsSync(FLOWS) ? readdirSync(FLOWS).filter(name => /^kube-proxy.*\.rules6?$/.test(name) && !SAMPLES.includes(name)) : []

  test.each(files)('%s', name => {
    const text = readFileSync(`${FLOWS}/${name}`, 'utf8')
    const family: Family = text.includes('::1/128') || /to-destination \[/.test(text) ? 'ipv6' : 'ipv4'
    const given = chainsOf(text, family)
    const made = chainsOf(textOfLines(generateRules(nodeBehind(given), family)), family)
    for (const [chain, rules] of given) {
      const isShared = SHARED.test(chain.split(' ')[1] ?? '')
      const ordered = (list: readonly string[] = []): readonly string[] => (isShared ? list.toSorted() : list)
      expect({ chain, rules: ordered(made.get(chain)) }).toEqual({ chain, rules: ordered(rules) })
    }
    const others = [...made.keys()].filter(chain => !given.has(chain) && (made.get(chain)?.length ?? 0) > 0)
    expect(others).toEqual([])
  })
})

function chainsOf(text: string, family: Family): Chains {
  const { value } = readRuleset([{ path: 'rules', text }], { family })
  return new Map(value.tables.flatMap(table => table.chains.map(chain => [`${table.name} ${chain.name}`, chain.rules.map(rule => writeRule(rule, family))] as const)))
}

/** Returns the node whose rules these are. What the rules do not tell is what they would be the same with. */
function nodeBehind(chains: Chains): KubeNode {
  const services = all(chains, /^nat KUBE-SERVICES|^nat KUBE-NODEPORTS|^filter KUBE-(SERVICES|EXTERNAL-SERVICES|NODEPORTS)/)
    .flatMap(rule => /-p (\w+) -m comment --comment "?(\S+?)"? /.exec(rule)?.slice(1, 3).join(' ') ?? [])
  const names = [...new Set(services)].filter(key => !all(chains, /^filter KUBE-NODEPORTS/).some(rule => rule.includes(`${key.split(' ')[1]} health check`)) || all(chains, /KUBE-SERVICES/).some(rule => rule.includes(`"${key.split(' ')[1]} `)))
  return { options: optionsBehind(chains), services: names.map(key => serviceBehind(key, chains)) }
}

function optionsBehind(chains: Chains): ProxyOptions {
  const cluster = all(chains, /^nat KUBE-SV[CL]-/).filter(rule => / cluster IP" .*-j KUBE-MARK-MASQ$/.test(rule))
  const pods = [...cluster, ...all(chains, /^nat KUBE-EXT-/)].flatMap(rule => prefixes(/(?:^! -s|^-s) (\S+) .*(?:cluster IP|pod traffic)/.exec(rule)?.[1]))
  const nodePorts = all(chains, /^nat KUBE-SERVICES/).filter(rule => rule.endsWith('-j KUBE-NODEPORTS'))
  const onlyOn = nodePorts.flatMap(rule => prefixes(/^-d (\S+) -m comment/.exec(rule)?.[1]))
  return {
    ...DEFAULT_OPTIONS,
    detector: pods.length === 0 ? { kind: 'none' } : { kind: 'prefixes', prefixes: pods },
    masqueradeAll: cluster.some(rule => !rule.includes('! -s')),
    localhostNodePorts: nodePorts.every(rule => !rule.includes('! -d 127')) && all(chains, /^filter KUBE-FIREWALL/).length > 0,
    nodePortPrefixes: onlyOn.length > 0 ? onlyOn : nodePorts.length === 0 ? prefixes('192.0.2.1') : undefined,
    nodeAddresses: [...onlyOn.map(({ address }) => address), ...all(chains, /^nat KUBE-FW-/).length > 0 ? ['192.168.0.2', '2001:db8::1'].flatMap(addresses) : []],
    randomFully: all(chains, /^nat KUBE-POSTROUTING/).some(rule => rule.includes('--random-fully')),
    isLiberal: !all(chains, /^filter KUBE-FORWARD/).some(rule => rule.includes('INVALID')),
    countsWithNfacct: all(chains, /./).some(rule => rule.includes('nfacct')),
  }
}

function serviceBehind(key: string, chains: Chains): ServicePort {
  const [protocolName = '', name = ''] = key.split(' ')
  const quoted = name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  const own = (chain: RegExp, words: string): readonly string[] => all(chains, chain).filter(rule => rule.includes(`-p ${protocolName} `) && new RegExp(`"?${quoted}${words}`).test(rule))
  const nat = own(/^nat KUBE-SERVICES/, ' (cluster|external|loadbalancer) IP"')
  const inside = own(/^filter KUBE-SERVICES/, ' has no')
  const outside = own(/^filter KUBE-EXTERNAL-SERVICES/, ' has no')
  const nodePorts = [...own(/^nat KUBE-NODEPORTS/, '"? -m'), ...outside.filter(rule => rule.includes('--dst-type LOCAL'))]
  const to = (rules: readonly string[], words: string): Address[] => rules.filter(rule => rule.includes(words)).flatMap(rule => addresses(/-d ([^/ ]+)/.exec(rule)?.[1]))
  const external = to(nat, 'external IP')
  const balancers = to(nat, 'loadbalancer IP')
  const refused = to(outside.filter(rule => !rule.includes('--dst-type')), ' has no').filter(address => !external.includes(address) && !balancers.includes(address))
  const chainRules = (prefix: string): readonly string[] => [...chains].filter(([chain, rules]) => chain.startsWith(`nat ${prefix}`) && rules.some(rule => new RegExp(`"${quoted} (->|cluster)|for ${quoted} external|"${quoted} loadbalancer|to ${quoted} will`).test(rule)) && isOf(chains, chain, name, protocolName)).flatMap(([, rules]) => rules)
  const ext = chainRules('KUBE-EXT-')
  const hasDrop = [...inside, ...outside].some(rule => rule.endsWith('-j DROP'))
  const seconds = /--seconds (\d+)/.exec([...chainRules('KUBE-SVC-'), ...chainRules('KUBE-SVL-')].join('\n'))?.[1]
  const protocol = PORT_PROTOCOLS.find(one => one === protocolName)
  if (!protocol) throw new Error(`${key} has no protocol`)
  return {
    name, protocol,
    clusterAddresses: [...to(nat, 'cluster IP'), ...to(inside, ' has no')],
    port: Number(/--dport (\d+)/.exec([...nat, ...inside][0] ?? '')?.[1]),
    nodePort: nodePorts[0] === undefined ? undefined : Number(/--dport (\d+)/.exec(nodePorts[0])?.[1]),
    externalAddresses: [...external, ...refused], balancerAddresses: balancers,
    sourceRanges: chainRules('KUBE-FW-').flatMap(rule => prefixes(/-s (\S+)/.exec(rule)?.[1])).filter(({ address }) => !balancers.includes(address)),
    healthCheckPort: numberIn(all(chains, /^filter KUBE-NODEPORTS/).find(rule => rule.includes(`"${name} health`))),
    isExternalLocal: ext.some(rule => rule.includes('masquerade LOCAL')) || outside.some(rule => rule.endsWith('-j DROP')),
    isInternalLocal: nat.some(rule => rule.includes('cluster IP') && rule.includes('-j KUBE-SVL-')) || inside.some(rule => rule.endsWith('-j DROP')),
    affinitySeconds: seconds === undefined ? undefined : Number(seconds),
    endpoints: endpointsBehind(chainRules('KUBE-SVC-'), chainRules('KUBE-SVL-'), hasDrop),
    span: { source: { path: '', text: '' }, start: 0, end: 0 },
  }
}

/** Endpoints for this node alone, which others may not use, end. */
function endpointsBehind(cluster: readonly string[], local: readonly string[], isUsedElsewhere: boolean): readonly Endpoint[] {
  const read = (rules: readonly string[]): readonly string[] => [...new Set(rules.flatMap(rule => / -> (\S+)"/.exec(rule)?.[1] ?? []))]
  const [everywhere, here] = [read(cluster), read(local)]
  const texts = [...new Set([...everywhere, ...here])]
  const endpoints = texts.flatMap((text): Endpoint[] => {
    const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(text) ?? []
    const isEnding = everywhere.length > 0 && !everywhere.includes(text)
    return addresses(host).map(address => ({ address, port: Number(port), isReady: !isEnding, isServing: true, isTerminating: isEnding, isLocal: here.includes(text), zoneHints: [], nodeHints: [] }))
  })
  return endpoints.length === 0 && isUsedElsewhere ? [{ address: 0x01010101, port: 1, isReady: true, isServing: true, isTerminating: false, isLocal: false, zoneHints: [], nodeHints: [] }] : endpoints
}

/** Services of several protocols have the same name: the chain of the right one leads to endpoints by it. */
function isOf(chains: Chains, chain: string, name: string, protocol: string): boolean {
  const own = chain.split(' ')[1] ?? ''
  return all(chains, /^nat KUBE-(SERVICES|NODEPORTS|EXT-|FW-)/).some(rule => rule.endsWith(`-j ${own}`) && (rule.includes(`-p ${protocol} `) || !rule.includes('-p '))) || all(chains, /^nat KUBE-SERVICES/).every(rule => !rule.includes(name))
}

function all(chains: Chains, pattern: RegExp): readonly string[] {
  return [...chains].filter(([chain]) => pattern.test(chain)).flatMap(([, rules]) => rules)
}

function addresses(text: string | undefined): Address[] {
  const address = text === undefined ? undefined : readAddress(text)
  return address === undefined ? [] : [address]
}

function prefixes(text: string | undefined): Prefix[] {
  const prefix = text === undefined ? undefined : readPrefix(text)
  return prefix ? [prefix] : []
}

function numberIn(rule: string | undefined): number | undefined {
  const text = /--dport (\d+)/.exec(rule ?? '')?.[1]
  return text === undefined ? undefined : Number(text)
}
