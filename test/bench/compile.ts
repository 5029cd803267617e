/**
 * Measures `5x5 compile` of large policies, process start included, beside ferm on the same sentences for IPv4 alone where it is installed:
 * `npm run bench:compile`, `npm run bench:compile -- 1000 10000` for other sizes, FERM=/path/to/ferm for one that is not in the path.
 * Medians of interleaved runs. Nothing is asserted: machines are shared and noisy.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makePolicy } from './policies.ts'

const RUNS = 3
const folder = mkdtempSync(join(tmpdir(), '5x5-bench-'))
const ferm = process.env['FERM'] ?? 'ferm'
const hasFerm = spawnSync(ferm, ['--version']).status === 0
const sizes = process.argv.slice(2).map(Number).filter(size => size > 0)

interface Times {
  readonly wall: number
  readonly processor: number
}

try {
  console.log('statements  5x5: wall  processor  | ferm: wall  processor  | ratio of processor')
  for (const size of sizes.length > 0 ? sizes : [1_000, 10_000, 100_000]) measure(size)
} finally {
  rmSync(folder, { recursive: true })
}

function measure(size: number): void {
  const { gate, ferm: text } = makePolicy(size)
  const [policy, other] = [join(folder, `${size}.gate`), join(folder, `${size}.ferm`)]
  writeFileSync(policy, gate)
  writeFileSync(other, text)
  const ours: Times[] = []
  const theirs: Times[] = []
  for (let run = 0; run < RUNS; run++) {
    ours.push(timesOf([process.execPath, 'dist/bundle/main.js', 'compile', policy, '-o', join(folder, 'rules')]))
    if (hasFerm) theirs.push(timesOf([ferm, '--noexec', '--lines', other]))
  }
  const ratio = hasFerm ? (median(ours, 'processor') / median(theirs, 'processor')).toFixed(2) : '-'
  console.log(`${String(size).padEnd(10)} ${seconds(ours, 'wall')} ${seconds(ours, 'processor')}    | ${seconds(theirs, 'wall')}  ${seconds(theirs, 'processor')}    | ${ratio}`)
}

/** Node does not tell what a child's processor time was; the shell does. */
function timesOf(command: readonly string[]): Times {
  const { stderr } = spawnSync('bash', ['-c', 'TIMEFORMAT="%R %U %S"; time "$@" > /dev/null 2>&1', 'bash', ...command], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })
  const [wall = 0, user = 0, system = 0] = stderr.trim().split(' ').map(Number)
  return { wall, processor: user + system }
}

function median(times: readonly Times[], key: keyof Times): number {
  return times.map(one => one[key]).toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
}

function seconds(times: readonly Times[], key: keyof Times): string {
  return (times.length === 0 ? '-' : `${median(times, key).toFixed(2)} s`).padStart(9)
}
