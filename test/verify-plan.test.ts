/**
 * The packets that 5x5 verify sends: for fixtures/verify/*.yaml (topologies with rules) and fixtures/verify/*.rules (on a guessed host), which
 * flows were found, and which rules none was found for, in NAME.expected.txt.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { flowInWords, keyOf, planProbes } from '../src/analyze/probe-plan.ts'
import { simulateFlow } from '../src/analyze/probe-flow.ts'
import { searchRuleset } from '../src/analyze/probe-goal.ts'
import { surroundingsOf } from '../src/analyze/surroundings.ts'
import { canSend } from '../cli/verify/senders.ts'
import { readGiven, rulesOfAll } from '../cli/verify/rules-of.ts'
import { parseCounters } from '../cli/verify/counters.ts'
import { sysctlScript } from '../cli/verify/sysctls.ts'
import { plain } from '../src/report/paint.ts'
import { answerInWords, writeVerifyReport } from '../src/report/verify-report.ts'
import type { VerifyReport } from '../src/report/verify-report.ts'
import { makeWorld } from '../src/simulate/world.ts'
import { assumedTopology } from '../src/topology/assumed.ts'
import { readTopology } from '../src/topology/load.ts'

const FOLDER = 'fixtures/verify'

describe('probes for every rule', () => {
  test.each(readdirSync(FOLDER).filter(name => /\.(yaml|rules)$/.test(name)))('%s', async name => {
    await expect(planInWords(name)).toMatchFileSnapshot(`${process.cwd()}/${FOLDER}/${name.replace(/\.(yaml|rules)$/, '.expected.txt')}`)
  })
})

function planInWords(name: string): string {
  const source = { path: name, text: readFileSync(`${FOLDER}/${name}`, 'utf8') }
  const given = { files: name.endsWith('.rules') ? [{ source }] : [], family: undefined, backend: 'legacy' } as const
  const topology = name.endsWith('.rules') ? assumedTopology(readGiven(given).map(one => one.ruleset), []) : readTopology(source).value
  const silent = { ...topology, namespaces: topology.namespaces.map(namespace => ({ ...namespace, sockets: [] })) }
  const rules = rulesOfAll(silent, given)
  const newWorld = () => makeWorld({ topology: silent, rulesets: [], rulesetsOf: new Map(silent.namespaces.map(one => [one.name, rules.filter(of => of.namespace === one.name).map(of => of.ruleset)])) })
  return rules.map(({ namespace, family, ruleset }) => {
    const place = silent.namespaces.find(one => one.name === namespace)
    if (!place) throw new Error(`no namespace ${namespace}`)
    const { flows, missed } = planProbes({ searched: searchRuleset(ruleset, 'legacy'), surroundings: surroundingsOf(silent, place, family), newWorld, canSend })
    for (const { flow, meets } of flows) expect(meets.size, flowInWords(simulateFlow(newWorld(), flow))).toBeGreaterThan(0)
    return [`${namespace} ${family}`, ...flows.map(({ flow }) => `  ${flowInWords(simulateFlow(newWorld(), flow))}`), ...missed.map(({ goal, why }) => `  none for ${keyOf(goal)}: ${why}`), ''].join('\n')
  }).join('\n')
}

describe('what verify reads and prints', () => {
  const rule = { namespace: 'host', family: 'ipv4', table: 'filter', chain: 'INPUT' } as const
  const report: VerifyReport = {
    backend: 'legacy', machine: 'Linux 6.1, iptables v1.8.9 (legacy)', assumptions: ['everything is reached by eth0'],
    rules: [
      { ...rule, number: 1, place: 'host.rules:3', words: '-i lo -j ACCEPT', verdict: 'agrees', kernel: 2, simulator: 2 },
      { ...rule, number: 2, place: 'host.rules:4', words: '-j LOG', verdict: 'differs', kernel: 1, simulator: 0 },
      { ...rule, number: 'policy', place: '', words: '(policy DROP)', verdict: 'not exercised', kernel: 0, simulator: 0, why: 'no packet was found that gets there' },
    ],
    packets: [
      { packet: 'eth0 udp 192.0.2.7:1 > 192.0.2.1:2', agrees: true, differences: [] },
      { packet: 'eth0 tcp 192.0.2.7:1 > 192.0.2.1:2 syn', agrees: false, differences: [{ namespace: 'host', what: 'filter INPUT 2', kernel: '1', simulator: '0' }, { namespace: 'host', what: 'device eth0', kernel: 'sends nothing else', simulator: 'sends tcp 192.0.2.1:2 > 192.0.2.7:1 rst' }] },
    ],
  }

  test('the table', async () => {
    await expect(writeVerifyReport(report, plain)).toMatchFileSnapshot(`${process.cwd()}/${FOLDER}/report.txt`)
  })

  test('the sentence', () => {
    expect(answerInWords({ ...report, rules: report.rules.slice(0, 1), packets: report.packets.slice(0, 1) })).toBe('The kernel did what the simulator says for the one packet; 1 of 1 rule was exercised (Linux 6.1, iptables v1.8.9 (legacy)).')
    expect(answerInWords({ ...report, rules: [], packets: [] })).toMatch(/^No packet was found to send; 0 of 0 rules were exercised/)
  })

  test('counters', () => {
    const text = '*filter\n:INPUT DROP [3:180]\n:own - [0:0]\n:5x5-verify - [0:0]\n[2:120] -A INPUT -j own\n[0:0] -A INPUT -j LOG\n[7:1] -A own\n[0:0] -A 5x5-verify -m conntrack --ctstate NEW\nCOMMIT\n*nat\n:OUTPUT ACCEPT [1:60]\nCOMMIT\n'
    expect([...parseCounters(text)]).toEqual([['filter INPUT policy', 3], ['filter INPUT 1', 2], ['filter INPUT 2', 0], ['filter own 1', 7], ['nat OUTPUT policy', 1]])
  })

  test('sysctls of devices with dots in their names', () => {
    expect(sysctlScript({ 'net.ipv4.conf.eth0.100.rp_filter': '1', 'net.ipv4.ip_forward': '0' })).toMatch(/conf\/eth0\.100\/rp_filter'[^]*net\/ipv4\/ip_forward'/)
  })
})
