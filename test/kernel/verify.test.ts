/** 5x5 verify on the real kernel: it agrees on hosts of all sorts, it notices where it does not, and nothing is left behind. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { readGiven } from '../../cli/verify/rules-of.ts'
import { verifyRules } from '../../cli/verify/verify-rules.ts'
import { assumedTopology } from '../../src/topology/assumed.ts'
import { printedBy } from '../printed-by.ts'
import { kernel } from './live.ts'

const { live, why } = kernel()
const hasIpset = live && spawnSync('ipset', ['--version']).status === 0

const RUNS = [
  { words: ['fixtures/kernel/docker-published-port/host.rules', '--topology', 'fixtures/kernel/docker-published-port/topology.yaml'], backend: 'legacy' },
  { words: ['fixtures/kernel/kube-proxy-service/host.rules', '--topology', 'fixtures/kernel/kube-proxy-service/topology.yaml'], backend: 'nft' },
  { words: ['--topology', 'fixtures/verify/containers.yaml'], backend: 'nft' },
  { words: ['fixtures/verify/ipv6.v6.rules'], backend: 'legacy' },
  { words: ['fixtures/verify/drawn.rules'], backend: 'legacy' },
  ...(hasIpset ? [{ words: ['--topology', 'fixtures/verify/matches.yaml'], backend: 'legacy' }] : []),
] as const

describe.skipIf(!live)(`5x5 verify: ${live ? 'live' : `not run: ${why}`}`, () => {
  afterAll(() => expect(spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout).not.toContain(`5x5-verify-${process.pid}-`))

  test.each(RUNS)('$words, $backend: the kernel does what the simulator says', async ({ words, backend }) => {
    const printed = await printedBy(['verify', ...words, '--backend', backend, '--json'], '.')
    const report = JSON.parse(printed) as { agrees: boolean; rules: { verdict: string }[]; packets: { agrees: boolean }[] }
    expect(report.packets.filter(packet => !packet.agrees)).toEqual([])
    expect(report.agrees).toBe(true)
    expect(report.packets.length).toBeGreaterThan(5)
    expect(report.rules.filter(rule => rule.verdict === 'agrees').length).toBeGreaterThan(report.rules.length / 2)
  }, 60_000)

  test('the example of README.md', async () => {
    const [, words = '', shown] = /```console\n# 5x5 (verify .*)\n([^]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? []
    const anywhere = (text: string): string => text.replace(/ \(Linux .*\)\.$/m, ' (Linux).')
    expect(anywhere(await printedBy(words.split(' '), '.'))).toBe(anywhere(shown ?? ''))
  }, 60_000)

  test.skipIf(!hasIpset)('packets of a file meet the sets of --ipset on the hosts that are made for them', async () => {
    const printed = await printedBy(['verify', 'admins.rules', '--packets', 'admins.packets', '--ipset', 'admins.ipset'], 'fixtures/verify')
    expect(printed.replace(/ \(Linux .*\)\.$/m, ' (Linux).')).toContain('for all 2 packets; 1 of 2 rules and 1 of 2 chain policies were exercised (Linux).')
  }, 60_000)

  test('a kernel with other rules is noticed', async () => {
    const text = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -i eth0 -p tcp -j DROP\nCOMMIT\n'
    const told = readGiven({ files: [{ source: { path: 'told.rules', text } }], family: 'ipv4', backend: 'legacy' })
    const rules = told.map(one => ({ ...one, namespace: 'host', sources: [{ path: 'loaded.rules', text: text.replace('--dport 22', '--dport 23') }] }))
    const report = await verifyRules({ topology: assumedTopology(told.map(one => one.ruleset), []), rules, backend: 'legacy', progress: { step: () => undefined, clear: () => undefined } })
    expect(report.rules.map(rule => rule.verdict)).toContain('differs')
    expect(report.packets.flatMap(packet => packet.differences)).toContainEqual({ namespace: 'host', what: 'filter INPUT 1', kernel: '0', simulator: '1' })
  }, 60_000)

  test('rules that the kernel refuses are told, and nothing is left', async () => {
    const told = readGiven({ files: [{ source: { path: 'x.rules', text: readFileSync('fixtures/verify/ipv6.v6.rules', 'utf8') } }], family: 'ipv6', backend: 'legacy' })
    const rules = told.map(one => ({ ...one, namespace: 'host', sources: [{ path: 'x.rules', text: '*filter\n-A INPUT -m set --match-set none src\nCOMMIT\n' }] }))
    const run = verifyRules({ topology: assumedTopology(told.map(one => one.ruleset), []), rules, backend: 'legacy', progress: { step: () => undefined, clear: () => undefined } })
    await expect(run).rejects.toThrow(/`ip6tables-legacy-restore` refuses the rules of host/)
  })
})
