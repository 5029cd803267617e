/** The formats of `5x5 lint`, each read back by a reader of its own: a schema, an XML parser, the grammar of workflow commands. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { lintSources } from '../src/lint/lint-sources.ts'
import { allFindings } from '../src/lint/lint-report.ts'
import type { LintReport } from '../src/lint/lint-report.ts'
import { NO_CONFIG } from '../src/lint/settings.ts'
import { checkstyleReport } from '../src/report/checkstyle.ts'
import { conciseReport } from '../src/report/concise.ts'
import { githubAnnotations, stepSummary } from '../src/report/github.ts'
import { gitlabReport } from '../src/report/gitlab.ts'
import { junitReport } from '../src/report/junit.ts'
import { lintJson, lintJsonLines } from '../src/report/lint-json.ts'
import { sarifReport } from '../src/report/sarif.ts'
import { SARIF_SCHEMA } from './sarif-schema.ts'
import { parseXml } from './xml-reader.ts'

const LINT = 'fixtures/lint'
const ODD = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "<a> & \'b\', 100%:\u0001" -j ACEPT\nCOMMIT\n'
const sources = [
  ...readdirSync(LINT).flatMap(id => readdirSync(join(LINT, id)).filter(name => /^bad.*\.rules$/.test(name)).map(name => join(LINT, id, name))).map(path => ({ path, text: readFileSync(path, 'utf8') })),
  { path: './odd dir/a,b:"<c>".rules', text: ODD },
  { path: 'clean.rules', text: '*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n' },
]
const { files } = lintSources(sources, { read: {}, surroundings: { today: '2026-01-01', trusted: [], keepOpen: [] }, config: NO_CONFIG, configPath: path => path })
const report: LintReport = { files, hidden: { suppressed: 0, baseline: 0, known: 0 }, version: '0.1.0' }
const findings = allFindings(report)

test('there is enough to write', () => {
  expect(findings.length).toBeGreaterThan(60)
  expect(new Set(findings.map(({ severity }) => severity)).size).toBe(3)
  expect(findings.some(({ fix }) => fix) && findings.some(({ witness }) => witness)).toBe(true)
})

describe('sarif', () => {
  const log = JSON.parse(sarifReport(report)) as { runs: [{ tool: { driver: { rules: { id: string }[] } }; results: { ruleId: string; ruleIndex: number; partialFingerprints: Record<string, string>; codeFlows?: unknown[]; locations: { physicalLocation: { artifactLocation: { uri: string }; region: Record<string, number> } }[] }[] }] }
  const [run] = log.runs

  test('holds to the schema', () => {
    const validate = new Ajv({ allErrors: true }).compile(SARIF_SCHEMA)
    validate(log)
    expect(validate.errors ?? []).toEqual([])
  })

  test('has every finding with its rule and a fingerprint of its own in its file', () => {
    expect(run.results.length).toBe(findings.length)
    for (const { ruleId, ruleIndex } of run.results) expect(run.tool.driver.rules[ruleIndex]?.id).toBe(ruleId)
    const keys = run.results.map(({ partialFingerprints, locations }) => `${locations[0]?.physicalLocation.artifactLocation.uri} ${Object.values(partialFingerprints).join()}`)
    expect(new Set(keys).size).toBe(keys.length)
    expect(run.results.some(({ codeFlows }) => codeFlows)).toBe(true)
  })

  test('regions and references are right', () => {
    for (const { locations } of run.results) {
      const { region, artifactLocation } = locations[0]?.physicalLocation ?? { region: {}, artifactLocation: { uri: ' ' } }
      expect((region['endLine'] ?? 0) * 1e6 + (region['endColumn'] ?? 0)).toBeGreaterThanOrEqual((region['startLine'] ?? 1) * 1e6 + (region['startColumn'] ?? 1))
      expect(artifactLocation.uri).toMatch(/^(?:[A-Za-z0-9\-._~!$&'()*+,;=@/]|%[0-9A-F]{2})+$/)
    }
  })
})

test('gitlab holds to the code quality format', () => {
  const issues: unknown = JSON.parse(gitlabReport(report))
  const validate = new Ajv({ allErrors: true }).compile({
    type: 'array',
    items: {
      type: 'object', required: ['description', 'check_name', 'fingerprint', 'severity', 'location'],
      properties: {
        description: { type: 'string', minLength: 1 }, check_name: { type: 'string', minLength: 1 }, fingerprint: { type: 'string', minLength: 8 }, severity: { enum: ['info', 'minor', 'major', 'critical', 'blocker'] },
        location: { type: 'object', required: ['path', 'lines'], properties: { path: { type: 'string', pattern: '^(?!\\./|/)' }, lines: { type: 'object', required: ['begin'], properties: { begin: { type: 'integer', minimum: 1 } } } } },
      },
    },
  })
  validate(issues)
  expect(validate.errors ?? []).toEqual([])
  const list = issues as { fingerprint: string }[]
  expect(list.length).toBe(findings.length)
  expect(new Set(list.map(({ fingerprint }) => fingerprint)).size).toBe(list.length)
})

test('junit is XML with the numbers that it says', () => {
  const root = parseXml(junitReport(report))
  expect(root.name).toBe('testsuites')
  expect(root.children.length).toBe(sources.length)
  let tests = 0
  let failures = 0
  for (const suite of root.children) {
    const failed = suite.children.filter(one => one.children.some(({ name }) => name === 'failure')).length
    expect([suite.name, suite.attributes['tests'], suite.attributes['failures']]).toEqual(['testsuite', String(suite.children.length), String(failed)])
    expect(suite.children.every(({ name, attributes }) => name === 'testcase' && attributes['name'] && attributes['classname'])).toBe(true)
    tests += suite.children.length
    failures += failed
  }
  expect([root.attributes['tests'], root.attributes['failures']]).toEqual([String(tests), String(failures)])
  expect(failures).toBe(findings.filter(({ severity }) => severity !== 'note').length)
})

test('checkstyle is XML with every finding', () => {
  const root = parseXml(checkstyleReport(report))
  expect([root.name, root.children.length]).toEqual(['checkstyle', sources.length])
  const errors = root.children.flatMap(({ children }) => children)
  expect(errors.length).toBe(findings.length)
  expect(errors.every(({ name, attributes }) => name === 'error' && Number(attributes['line']) >= 1 && /^(error|warning|info)$/.test(attributes['severity'] ?? '') && (attributes['source'] ?? '').startsWith('fivebyfive.'))).toBe(true)
  expect(root.children.map(({ attributes }) => attributes['name'])).toContain('./odd dir/a,b:"<c>".rules')
})

test('github annotations are workflow commands that say the same when they are read', () => {
  const lines = githubAnnotations(report).trimEnd().split('\n')
  expect(lines.length).toBe(findings.length)
  for (const [index, line] of lines.entries()) {
    const [, command, list = '', text = ''] = /^::(error|warning|notice) ([^:]*(?:%3A[^:]*)*)::(.*)$/.exec(line) ?? []
    const read = (value: string): string => value.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
    const properties = Object.fromEntries(list.split(',').map(part => part.split('=', 2).map(read)))
    const finding = findings[index]
    expect({ command, file: properties['file'], title: properties['title'] }).toEqual({ command: finding?.severity === 'note' ? 'notice' : finding?.severity, file: finding?.span.source.path, title: finding?.code })
    expect(read(text).split('\n')[0]).toBe(finding?.message)
  }
})

test('the step summary is a table with a row for each finding', () => {
  const rows = stepSummary(report).split('\n').filter(line => /^\| (error|warning|note) \|/.test(line))
  expect(rows.length).toBe(findings.length)
  expect(rows.every(row => row.replaceAll('\\|', '').split('|').length === 6)).toBe(true)
})

test('json, jsonl and concise have every finding', () => {
  const { files: list } = JSON.parse(lintJson(report)) as { files: { path: string; partial: boolean; diagnostics: { code: string; span: { start: { line: number } }; fingerprint: string }[] }[] }
  expect(list.map(({ path }) => path)).toEqual(sources.map(({ path }) => path))
  expect(list.flatMap(({ diagnostics }) => diagnostics).length).toBe(findings.length)
  expect(list.flatMap(({ diagnostics }) => diagnostics).every(({ fingerprint }) => /^[0-9a-f]{16}$/.test(fingerprint))).toBe(true)
  const lines = lintJsonLines(report).trimEnd().split('\n').map(line => JSON.parse(line) as { path: string; code: string })
  expect(lines.map(({ code }) => code)).toEqual(findings.map(({ code }) => code))
  expect(conciseReport(report).trimEnd().split('\n').every((line, index) => line.startsWith(`${findings[index]?.span.source.path}:`) && line.includes(`[${findings[index]?.code}] `))).toBe(true)
})
