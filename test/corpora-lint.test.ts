/**
 * What the linter calls exact is so for real rulesets: packets drawn from what their rules ask for are sent through the tables with and without
 * the rules that it blames. `LINT=. PACKETS=4000 npm test -- corpora-lint` takes all rulesets; `LINT=PATTERN` those with such a path.
 */

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { findDead } from '../src/analyze/dead.ts'
import type { DeadFinding, DeadReport } from '../src/analyze/dead.ts'
import { checkRuleset } from '../src/extensions/check-ruleset.ts'
import type { Ruleset, Table } from '../src/ir/ruleset.ts'
import { readRuleset } from '../src/save/read.ts'
import { makeChance } from './chance.ts'
import type { Chance } from './chance.ts'
import { makeDrawer } from './corpora/draw-packets.ts'
import { walkTable } from './corpora/table-walk.ts'

const CORPORA = '../shared/corpora'
const WHICH = process.env['LINT'] ?? ''
const PACKETS = Number(process.env['PACKETS'] ?? 120)
const SEED = Number(process.env['SEED'] ?? 1)

interface Listed {
  readonly path: string
  readonly family: Ruleset['family']
}

/** Without a pattern every thirtieth ruleset of less than 200 rules. */
function listed(): readonly Listed[] {
  if (!existsSync(`${CORPORA}/INDEX.tsv`)) return []
  const rows = readFileSync(`${CORPORA}/INDEX.tsv`, 'utf8').trim().split('\n').slice(1).map(line => line.split('\t'))
  const usable = rows.filter(([path = '']) => existsSync(`${CORPORA}/${path}`))
  const chosen = WHICH === '' ? usable.filter(([, , , , rules], index) => index % 30 === 0 && Number(rules) < 200) : usable.filter(([path = '']) => new RegExp(WHICH).test(path))
  return chosen.map(([path = '', family]) => ({ path, family: family === '6' ? 'ipv6' : 'ipv4' }))
}

const rulesets = listed()

test.skipIf(rulesets.length === 0)(`what is called dead or redundant in ${rulesets.length} real rulesets makes no difference to any packet`, { timeout: 3_600_000 }, () => {
  const tally = { rulesets: 0, dead: 0, redundant: 0, packets: 0, hits: 0 }
  const wrong: string[] = []
  for (const { path, family } of rulesets) {
    const { value: ruleset, diagnostics } = readRuleset([{ path, text: readFileSync(`${CORPORA}/${path}`, 'utf8') }], { family })
    if (ruleset.partial || [...diagnostics, ...checkRuleset(ruleset)].some(({ severity, code }) => severity === 'error' || code === 'chain-loop')) continue
    const start = performance.now()
    const report = findDead(ruleset, { mostForRedundant: 5000 })
    tally.rulesets++
    for (const { table } of report.reach.tables) wrong.push(...compareTable(ruleset, table, report, makeChance(SEED), tally).map(words => `${path}: ${words}`))
    if (WHICH !== '') console.log(`${path}: ${ruleset.ruleCount} rules, ${((performance.now() - start) / 1000).toFixed(1)} s, ${JSON.stringify(tally)}`)
  }
  console.log(JSON.stringify(tally))
  expect(wrong.slice(0, 40)).toEqual([])
  expect(tally.hits).toBeGreaterThan(tally.packets / 3)
})

interface Tally {
  dead: number
  redundant: number
  packets: number
  /** Packets that met the rule that they were drawn for, or one like it. */
  hits: number
}

function compareTable(ruleset: Ruleset, table: Table, { findings }: DeadReport, chance: Chance, tally: Tally): readonly string[] {
  const own = findings.filter(finding => ('at' in finding ? finding.at.chain : finding.chain).table === table.name)
  const dead = new Set(own.flatMap(finding => (isDead(finding) ? [finding.at.rule] : [])))
  const redundant = new Set(own.flatMap(finding => (finding.kind === 'redundant' ? [finding.at.rule] : [])))
  const unused = new Set(own.flatMap(finding => (finding.kind === 'unusedPolicy' ? [finding.chain] : [])))
  const rules = table.chains.flatMap(chain => chain.rules)
  if (rules.length === 0) return []
  const suspects = [...dead, ...redundant]
  const gone = new Set(suspects.map(({ id }) => id))
  const drawer = makeDrawer(ruleset, table)
  const wrong = new Set<string>()
  const about = (id: number): string => rules.find(rule => rule.id === id)?.span.source.text.slice(...spanOf(rules.find(rule => rule.id === id)?.span)) ?? ''
  for (let count = 0; count < PACKETS; count++) {
    const aim = suspects.length > 0 && chance.once(2) ? chance.pick(suspects) : chance.pick(rules)
    const drawn = drawer.draw(chance, aim)
    if (!drawn) continue
    const { root, make } = drawn
    const before = walkTable(ruleset, table, root, make(), new Set())
    tally.packets++
    if (before.matched.size > 0) tally.hits++
    for (const rule of dead) if (before.matched.has(rule.id)) wrong.add(`${table.name}: called dead and met: ${about(rule.id)}`)
    if (before.byPolicy && unused.has(root)) wrong.add(`${table.name}: policy of ${root.name} decides`)
    const after = walkTable(ruleset, table, root, make(), gone)
    if (after.verdict !== before.verdict || after.traces.join() !== before.traces.join()) wrong.add(`${table.name}: without ${[...redundant].filter(({ id }) => before.matched.has(id)).map(({ id }) => about(id)).join(' and ')} ${before.verdict} becomes ${after.verdict}, ${before.traces.join()} | ${after.traces.join()}`)
  }
  tally.dead += dead.size
  tally.redundant += redundant.size
  return [...wrong]
}

function isDead(finding: DeadFinding): finding is Extract<DeadFinding, { kind: 'contradiction' | 'misplaced' | 'shadowed' }> {
  return finding.kind === 'contradiction' || finding.kind === 'misplaced' || finding.kind === 'shadowed'
}

function spanOf(span: { readonly start: number; readonly end: number } | undefined): [number, number] {
  return [span?.start ?? 0, span?.end ?? 0]
}
