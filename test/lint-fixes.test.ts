/** Fixes are made where it is proved that they keep the meaning: what the proof takes, what it refuses, and that every safe fix of the fixtures has one. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Fix } from '../src/diagnostics/diagnostic.ts'
import { lintSources } from '../src/lint/lint-sources.ts'
import { provedFixes } from '../src/lint/proved-fixes.ts'
import type { Finding } from '../src/lint/run-lint.ts'
import { isSameMeaning } from '../src/lint/same-meaning.ts'
import { NO_CONFIG } from '../src/lint/settings.ts'
import { readRuleset } from '../src/save/read.ts'

const LINT = 'fixtures/lint'

function rulesetOf(table: string, ...lines: readonly string[]) {
  const logs = lines.some(line => line.endsWith(' logs')) ? [':logs - [0:0]', '-A logs -j LOG'] : []
  return readRuleset([{ path: 'one', text: [`*${table}`, ':INPUT ACCEPT [0:0]', ...logs, ...lines, 'COMMIT', ''].join('\n') }]).value
}

const DROP_22 = '-A INPUT -p tcp -m tcp --dport 22 -j DROP'
const ACCEPT_22 = '-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT'
const INVALID = '-A INPUT -m conntrack --ctstate INVALID -j DROP'
const ESTABLISHED = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'
const MARK = '-A INPUT -p tcp -j MARK --set-xmark 0x1/0xffffffff'
const FLIP = '-A INPUT -p tcp -j MARK --set-xmark 0x1/0x0'
const LIMIT = '-A INPUT -p icmp -m limit --limit 5/sec -j DROP'

describe('the proof', () => {
  test.each([
    ['a match written otherwise', 'filter', ['-A INPUT -m state --state NEW -j DROP'], ['-A INPUT -m conntrack --ctstate NEW -j DROP'], true],
    ['the same where packets are logged', 'filter', ['-A INPUT -j LOG', '-A INPUT -m state --state NEW -j DROP'], ['-A INPUT -j LOG', '-A INPUT -m conntrack --ctstate NEW -j DROP'], true],
    ['other states', 'filter', ['-A INPUT -m state --state NEW -j DROP'], ['-A INPUT -m conntrack --ctstate INVALID -j DROP'], false],
    ['a comment', 'filter', [`${DROP_22} -m comment --comment old`], [DROP_22], true],
    ['a rule that is never met', 'filter', [DROP_22, ACCEPT_22], [DROP_22], true],
    ['a rule that is met', 'filter', [ACCEPT_22, DROP_22], [ACCEPT_22], false],
    ['a rule whose packets meet another of its kind', 'filter', [`${DROP_22.replace(' -j', ' -s 10.0.0.0/8 -j')}`, DROP_22], [DROP_22], true],
    ['two rules that disagree exchanged', 'filter', [ACCEPT_22, DROP_22], [DROP_22, ACCEPT_22], false],
    ['two rules with nothing in common exchanged', 'filter', [INVALID, ESTABLISHED], [ESTABLISHED, INVALID], true],
    ['a log that is never met', 'filter', [DROP_22, '-A INPUT -p tcp -m tcp --dport 22 -j LOG'], [DROP_22], true],
    ['a log that is met', 'filter', [DROP_22, '-A INPUT -j LOG'], [DROP_22], false],
    ['a limit that is met', 'filter', [LIMIT, LIMIT], [LIMIT], false],
    ['the same with a log behind them', 'filter', [INVALID, ESTABLISHED, '-A INPUT -j LOG'], [ESTABLISHED, INVALID, '-A INPUT -j LOG'], true],
    ['a rule moved across several', 'filter', [INVALID, ESTABLISHED, '-A INPUT -m conntrack --ctstate NEW -j ACCEPT', '-A INPUT -j LOG'], [ESTABLISHED, '-A INPUT -m conntrack --ctstate NEW -j ACCEPT', INVALID, '-A INPUT -j LOG'], true],
    ['a rule moved across one that it meets', 'filter', [INVALID, ACCEPT_22, '-A INPUT -j LOG'], [ACCEPT_22, INVALID, '-A INPUT -j LOG'], false],
    ['a mark that is missing', 'mangle', [MARK], [], false],
    ['a rule that kept packets from a mark', 'mangle', [DROP_22.replace('DROP', 'ACCEPT'), MARK], [MARK], false],
    ['a mark turned round twice', 'mangle', [FLIP, FLIP], [FLIP], false],
    ['the same jump twice to a chain that logs', 'filter', ['-A INPUT -j logs', '-A INPUT -j logs'], ['-A INPUT -j logs'], false],
  ] as const)('%s', (_what, table, before, after, isSame) => {
    for (const backend of ['legacy', 'nft'] as const) expect(isSameMeaning(rulesetOf(table, ...before), rulesetOf(table, ...after), backend)).toBe(isSame)
  })

  test('a chain policy, or a chain that is gone', () => {
    const [accept, drop, less] = ['*filter\n:INPUT ACCEPT [0:0]\n:a - [0:0]\nCOMMIT\n', '*filter\n:INPUT DROP [0:0]\n:a - [0:0]\nCOMMIT\n', '*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n'].map(text => readRuleset([{ path: 'p', text }]).value)
    if (!accept || !drop || !less) throw new Error('three texts are three rulesets')
    expect([isSameMeaning(accept, accept, 'legacy'), isSameMeaning(accept, drop, 'legacy'), isSameMeaning(accept, less, 'legacy')]).toEqual([true, false, false])
  })
})

const HOW = { read: {}, surroundings: { today: '2026-01-01', trusted: [], keepOpen: [] }, config: NO_CONFIG, configPath: (path: string) => path }
const cases = readdirSync(LINT).flatMap(id => readdirSync(join(LINT, id)).filter(name => /^bad.*\.rules$/.test(name) && !name.endsWith('.fixed.rules')).map(name => `${id}/${name}`))

test('every safe fix of the fixtures is proved', () => {
  const found = cases.flatMap(path => {
    const source = { path, text: readFileSync(join(LINT, path), 'utf8') }
    const findings = lintSources([source], HOW).files[0]?.findings ?? []
    const safe = findings.filter(({ fix }) => fix?.kind === 'safe').length
    return [{ path, safe, unproved: provedFixes(source, findings, {}).unproved.map(({ code }) => code) }]
  })
  expect(found.filter(({ unproved }) => unproved.length > 0)).toEqual([])
  expect(found.filter(({ safe }) => safe > 0).length).toBeGreaterThan(5)
})

test('what is not proved is a suggestion, and the others are made all the same', () => {
  const lines = ['*filter', ':INPUT DROP [0:0]', DROP_22, ACCEPT_22, ESTABLISHED, ACCEPT_22, '-A INPUT -i lo -j ACCEPT', 'COMMIT', '']
  const source = { path: 'mixed', text: lines.join('\n') }
  const removal = (line: number): Finding => {
    const start = lines.slice(0, line - 1).join('\n').length + 1
    const span = { source, start, end: start + (lines[line - 1] ?? '').length }
    const fix: Fix = { kind: 'safe', message: 'remove it', edits: [{ span: { ...span, end: span.end + 1 }, text: '' }] }
    return { code: 'shadowed-rule', severity: 'warning', message: 'made up', span, related: [], fix, fingerprint: String(line) }
  }
  const { findings, unproved } = provedFixes(source, [4, 5, 6, 7].map(removal), {})
  expect(unproved.map(({ fingerprint }) => fingerprint)).toEqual(['5', '7'])
  expect(findings.map(({ fix }) => fix?.kind)).toEqual(['safe', 'suggestion', 'safe', 'suggestion'])
})
