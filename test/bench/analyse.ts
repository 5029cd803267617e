/**
 * Measures commands that analyse whole rulesets, each in a fresh process of the built program, with its peak memory: `npm run bench:analyse`,
 * `npm run bench:analyse -- dead kube` for the rows whose names have all these words. Nothing is asserted: machines are shared and noisy.
 * A new measure is one row of `MEASURES`; rows about files of ../shared are left out where it is missing.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { firstMatchRules, serviceRules } from './analysed.ts'
import type { Usage } from './report-usage.ts'
import { makeRuleset } from './rulesets.ts'

/** One command on one file. */
interface Measure {
  readonly name: string
  /** The words after `5x5`; `FILE` stands for the file. */
  readonly words: readonly string[]
  /** A path, or a function that makes the text. */
  readonly file: string | (() => string)
  /** Wanted at most: seconds that pass on a quiet machine, and gigabytes. */
  readonly bar?: { readonly seconds: number; readonly gigabytes?: number }
}

const NETWORK = '../shared/corpora/rulesets/diekmann+net-network/configs_chair_for_Network_Architectures_and_Services__'
const DEAD = ['dead', 'FILE']
const LINT = ['lint', '--no-config', 'FILE']
const REACH = ['reach', 'FILE', 'from any to any']
const OPTIMISE = ['optimise', 'FILE']
const MATRIX = ['matrix', 'FILE', '--service']

const MEASURES: readonly Measure[] = [
  { name: 'dead, 10,000 first-match rules', words: DEAD, file: () => firstMatchRules(10_000), bar: { seconds: 1, gigabytes: 1 } },
  { name: 'dead, 100,000 first-match rules', words: DEAD, file: () => firstMatchRules(100_000), bar: { seconds: 5, gigabytes: 1 } },
  { name: 'dead, network of 4,841 rules', words: DEAD, file: `${NETWORK}iptables-save-2015-05-15_15-23-41.rules`, bar: { seconds: 2 } },
  { name: 'dead, network of 5,556 rules', words: DEAD, file: `${NETWORK}iptables-save-2016-06-27_16-29-01.rules`, bar: { seconds: 2 } },
  { name: 'dead, network of 6,203 rules (IPv6)', words: DEAD, file: `${NETWORK}ip6tables-save-2016-06-27_16-29-01.rules6`, bar: { seconds: 2 } },
  { name: 'dead, kube-proxy of 5,000 services', words: DEAD, file: () => serviceRules(5_000), bar: { seconds: 10 } },
  { name: 'lint, 100 first-match rules', words: LINT, file: () => firstMatchRules(100), bar: { seconds: 0.4 } },
  { name: 'lint, 10,000 first-match rules', words: LINT, file: () => firstMatchRules(10_000), bar: { seconds: 2, gigabytes: 1 } },
  { name: 'lint, 100,000 first-match rules', words: LINT, file: () => firstMatchRules(100_000), bar: { seconds: 8, gigabytes: 1 } },
  ...([['flat', 'unique addresses'], ['chained', 'chained rules'], ['docker', 'published ports'], ['kube-proxy', 'services']] as const).flatMap(([shape, words]) =>
    ([[10_000, '10,000', 2], [100_000, '100,000', 8]] as const).map(([size, count, wanted]): Measure => ({ name: `lint, ${count} of ${words}`, words: LINT, file: () => makeRuleset(shape, size), bar: { seconds: wanted, gigabytes: 1 } }))),
  { name: 'reach, all packets, 5,556 rules', words: REACH, file: `${NETWORK}iptables-save-2016-06-27_16-29-01.rules` },
  { name: 'reach, ssh, 5,556 rules', words: [...REACH.slice(0, -1), 'from any to any tcp/22'], file: `${NETWORK}iptables-save-2016-06-27_16-29-01.rules` },
  { name: 'reach, ssh, 6,203 rules (IPv6)', words: [...REACH.slice(0, -1), 'from any to any tcp/22'], file: `${NETWORK}ip6tables-save-2016-06-27_16-29-01.rules6` },
  { name: 'optimise, 10,000 first-match rules', words: OPTIMISE, file: () => firstMatchRules(10_000) },
  { name: 'optimise, network of 5,556 rules', words: OPTIMISE, file: `${NETWORK}iptables-save-2016-06-27_16-29-01.fixed.rules`, bar: { seconds: 60 } },
  { name: 'optimise, kube-proxy of 5,000 services', words: OPTIMISE, file: () => serviceRules(5_000), bar: { seconds: 60 } },
  { name: 'matrix, ssh, 4,841 rules', words: [...MATRIX, 'ssh'], file: `${NETWORK}iptables-save-2015-05-15_15-23-41.rules`, bar: { seconds: 5 } },
  { name: 'matrix, http, 4,841 rules', words: [...MATRIX, 'http'], file: `${NETWORK}iptables-save-2015-05-15_15-23-41.rules`, bar: { seconds: 5 } },
  { name: 'matrix, ssh, 5,556 rules', words: [...MATRIX, 'ssh'], file: `${NETWORK}iptables-save-2016-06-27_16-29-01.rules`, bar: { seconds: 5 } },
  { name: 'matrix, http, 5,556 rules', words: [...MATRIX, 'http'], file: `${NETWORK}iptables-save-2016-06-27_16-29-01.rules`, bar: { seconds: 5 } },
  { name: 'matrix, ssh, 6,203 rules (IPv6)', words: [...MATRIX, 'ssh'], file: `${NETWORK}ip6tables-save-2016-06-27_16-29-01.rules6`, bar: { seconds: 5 } },
  { name: 'matrix, http, 6,203 rules (IPv6)', words: [...MATRIX, 'http'], file: `${NETWORK}ip6tables-save-2016-06-27_16-29-01.rules6`, bar: { seconds: 5 } },
  { name: 'diff, 4,841 rules, 36 lines differ', words: ['diff', `${NETWORK}iptables-save-2015-05-15_14-14-46.rules`, 'FILE'], file: `${NETWORK}iptables-save-2015-05-15_15-23-41.rules`, bar: { seconds: 5 } },
  { name: 'diff, 4,849 rules, 126 lines differ', words: ['diff', `${NETWORK}iptables-save-2015-05-13_10-53-20.rules`, 'FILE'], file: `${NETWORK}iptables-save-2015-05-15_15-23-41.rules`, bar: { seconds: 5 } },
]

/** After so many seconds a command is ended. */
const PATIENCE = 120

const wanted = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), '5x5-bench-'))

try {
  console.log(`${'measure'.padEnd(40)}    clock  processor   memory   wanted`)
  for (const measure of MEASURES) if (wanted.every(word => measure.name.includes(word))) report(measure)
} finally {
  rmSync(folder, { recursive: true })
}

function report({ name, words, file, bar }: Measure): void {
  const path = pathOf(file)
  const took = path === undefined ? undefined : runOnce(words.map(word => (word === 'FILE' ? path : word)))
  const wish = bar ? `${bar.seconds} s${bar.gigabytes === undefined ? '' : `, ${bar.gigabytes} GB`}` : ''
  const figures = path === undefined ? 'left out: the file is not there' : !took ? `ended after ${PATIENCE} s` : `${seconds(took.clock)} ${seconds(took.processor)}   ${took.megabytes.toFixed(0).padStart(5)} MB   ${wish}`
  console.log(`${name.padEnd(40)} ${figures}`)
}

function pathOf(file: Measure['file']): string | undefined {
  if (typeof file === 'string') return existsSync(file) ? file : undefined
  const path = join(folder, 'made.rules')
  writeFileSync(path, file())
  return path
}

/** Runs the program once; undefined where it takes too long. Exit codes of findings are no failure. */
function runOnce(words: readonly string[]): (Usage & { readonly clock: number }) | undefined {
  const usageFile = join(folder, 'usage.json')
  rmSync(usageFile, { force: true })
  const start = performance.now()
  const { status, signal, stderr } = spawnSync(process.execPath, ['--import', './dist/test/bench/report-usage.js', 'dist/bundle/main.js', ...words], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', timeout: PATIENCE * 1000, env: { ...process.env, USAGE_FILE: usageFile } })
  const clock = (performance.now() - start) / 1000
  if (signal !== null) return undefined
  if (status !== 0 && status !== 1) throw new Error(`5x5 ${words.join(' ')} ended with ${status}: ${stderr}`)
  return { ...(JSON.parse(readFileSync(usageFile, 'utf8')) as Usage), clock }
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`.padStart(8)
}
