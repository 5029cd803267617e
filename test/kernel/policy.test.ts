/**
 * The gateway policy against the real kernel: docker's rules are there first, the plan is loaded beside them, and real connections are opened for
 * everything that the policy asserts and for what it refuses. The simulator must say the same, and a second plan has nothing to do.
 */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readRequests } from '../../cli/trace/next-probe.ts'
import { testPolicy } from '../../src/analyze/policy-tests.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import { writeAddress } from '../../src/net/address.ts'
import type { Family } from '../../src/net/address.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { planChanges } from '../../src/policy/plan.ts'
import type { Plan } from '../../src/policy/plan.ts'
import { resolvePolicy } from '../../src/policy/resolve.ts'
import { toRuleset } from '../../src/policy/to-ruleset.ts'
import { writeRestore } from '../../src/policy/write-restore.ts'
import { readRuleset } from '../../src/save/read.ts'
import { trace } from '../../src/simulate/trace.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { readTopology } from '../../src/topology/load.ts'
import { kernel } from './live.ts'
import { makePolicyLab, readConnections } from './policy-lab.ts'
import type { Connection, PolicyLab } from './policy-lab.ts'

const FOLDER = 'fixtures/policy/gateway'
const read = (name: string) => ({ path: name, text: readFileSync(`${FOLDER}/${name}`, 'utf8') })
const connections = readConnections(read('connections.txt').text)
const docker = read('docker.rules')
const { live } = kernel()
const hasPython = spawnSync('python3', ['--version']).status === 0
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']

const resolved = resolvePolicy(read('gateway.gate'), () => ({ problem: 'nothing is included' }))
if (!resolved.value) throw new Error('the gateway policy has errors')
const policy = resolved.value
const { rules } = compilePolicy(policy)
const { value: topology } = readTopology(read('topology.yaml'))

describe.each(['legacy', 'nft'] as const)('%s', backend => {
  const rulesets = { ipv4: toRuleset(rules.ipv4, policy.zones, readRuleset([docker], { family: 'ipv4', backend }).value), ipv6: toRuleset(rules.ipv6, policy.zones) }

  test.each(connections)('simulated: $line', connection => {
    expect(simulate(connection, backend)).toBe(answered(connection))
  })

  test('every assertion is proved on the described host beside docker', () => {
    const [namespace] = topology.namespaces
    if (!namespace) throw new Error('no namespace')
    const tested = testPolicy(policy.assertions, { rulesets, namespace, backend })
    expect(tested.map(({ finding }) => finding.kind)).toEqual(policy.assertions.map(() => 'holds'))
  })

  function simulate(connection: Connection, of: Backend): string {
    const { place, source, protocol, address, port } = connection
    const device = DEVICES[place]
    const isIpv6 = address.includes(':')
    const [from, to] = [source, address].map(one => (isIpv6 && port !== 0 ? `[${one}]` : one))
    const text = protocol === 'icmp' ? `icmp${isIpv6 ? '6' : ''} ${source} > ${address} echo-request` : `${protocol} ${from}:40000 > ${to}:${port}${protocol === 'tcp' ? ' syn' : ''}`
    const [request] = readRequests([device === undefined ? text : `${device} ${text}`])
    if (request?.kind !== 'probe') throw new Error(`no probe: ${text}`)
    const { outcome } = trace(makeWorld({ topology, rulesets: [rulesets.ipv4, rulesets.ipv6], backend: of }), request.probe)
    if (outcome.kind !== 'local' && outcome.kind !== 'forward' && outcome.kind !== 'sent') return 'nothing'
    const { packet } = outcome
    return `${SERVERS[writeAddress(packet.dst)] ?? 'fw'}${packet.dport === undefined ? '' : `:${packet.dport}`} ${writeAddress(packet.src)}`
  }
})

const DEVICES: Readonly<Record<string, string>> = { wan: 'eth0', lan: 'eth1', web: 'eth2', dmz: 'eth2', container: 'docker0' }
const SERVERS: Readonly<Record<string, string>> = { '203.0.113.1': 'wan', '192.168.10.9': 'lan', '192.168.10.5': 'lan', '10.0.1.10': 'web', '10.0.1.20': 'dmz', '172.17.0.2': 'container' }

function answered({ expected }: Connection): string {
  return expected
}

describe.skipIf(!live || !hasPython).each(['legacy', 'nft'] as const)('live, %s', backend => {
  let lab: PolicyLab | undefined
  const build = async (): Promise<PolicyLab> => {
    lab = await makePolicyLab(backend)
    lab.onGateway('ipv4', 'restore', [], docker.text)
    return lab
  }
  const planOn = (made: PolicyLab, family: Family): Plan => planChanges(rules[family], readRuleset([{ path: 'live', text: made.onGateway(family, 'save') }], { family, backend }).value)
  beforeAll(build)
  afterAll(() => lab?.remove())

  test('the plan is loaded beside the rules of docker, and a second one has nothing to do', () => {
    if (!lab) throw new Error('no lab')
    const before = foreign(lab.onGateway('ipv4', 'save'))
    for (const family of FAMILIES) lab.onGateway(family, 'restore', ['--noflush'], planOn(lab, family).text)
    const saved = FAMILIES.map(family => withoutRemarks(lab?.onGateway(family, 'save') ?? ''))
    expect(foreign(saved[0] ?? '')).toEqual(before)
    for (const family of FAMILIES) expect(planOn(lab, family).text).toBe('')
  })

  test('real connections go where the policy says', { timeout: 60_000 }, async () => {
    if (!lab) throw new Error('no lab')
    const results = await lab.connect(connections)
    const told = results.map((result, index) => `${connections[index]?.line.split(' -> ')[0]} -> ${result.startsWith('nothing') ? 'nothing' : result === 'echo' ? connections[index]?.expected : result}`)
    expect(told).toEqual(connections.map(({ line }) => line))
  })

  test('what 5x5 compile writes loads to the same rules', () => {
    if (!lab) throw new Error('no lab')
    const planned = FAMILIES.map(family => withoutRemarks(lab?.onGateway(family, 'save') ?? ''))
    lab.onGateway('ipv4', 'restore', [], docker.text)
    lab.onGateway('ipv6', 'restore', [], '*filter\nCOMMIT\n*nat\nCOMMIT\n')
    for (const family of FAMILIES) lab.onGateway(family, 'restore', ['--noflush'], writeRestore(rules[family]))
    for (const family of FAMILIES) expect(planOn(lab, family).text).toBe('')
    expect(withoutRemarks(lab.onGateway('ipv4', 'save'))).toEqual(planned[0])
  })
})

function withoutRemarks(text: string): readonly string[] {
  return text.split('\n').filter(line => !line.startsWith('#')).map(line => line.replace(/\[\d+:\d+\]$/, ''))
}

/** The lines that are not the policy's. */
function foreign(text: string | readonly string[]): readonly string[] {
  return (typeof text === 'string' ? withoutRemarks(text) : text).filter(line => !line.includes('gate-'))
}
