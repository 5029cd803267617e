/**
 * Measures reading, checking and writing beside `iptables-legacy-restore --test` and `iptables-nft-restore --test` on the same
 * files in the same run: `npm run bench`, `npm run bench -- 1000000` for another size, `npm run bench -- FILE ...` for files.
 * Medians of interleaved runs; the peers need root and are left out without it. Nothing is asserted: machines are shared and noisy.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { makeRuleset, SHAPES } from './rulesets.ts'

const RUNS = 5
const sizes = process.argv.slice(2).map(Number).filter(size => size > 0)
const files = process.argv.slice(2).filter(word => Number.isNaN(Number(word)))
const folder = mkdtempSync(join(tmpdir(), '5x5-bench-'))
const isRoot = process.getuid?.() === 0

interface Times {
  readonly rules: number
  readonly read: number
  readonly check: number
  readonly write: number
  readonly process: number
  readonly megabytes: number
}

try {
  console.log('rules    shape        read    check   write   process  memory  | legacy --test  nft --test | read/legacy  read+check/legacy')
  for (const file of files) measure(file, basename(file))
  for (const size of sizes.length > 0 || files.length > 0 ? sizes : [1_000, 10_000, 100_000]) {
    for (const shape of SHAPES) {
      const path = join(folder, `${shape}-${size}.rules`)
      writeFileSync(path, makeRuleset(shape, size))
      measure(path, shape)
    }
  }
  startUp()
} finally {
  rmSync(folder, { recursive: true })
}

function measure(path: string, name: string): void {
  const ours: Times[] = []
  const legacy: number[] = []
  const nft: number[] = []
  for (let run = 0; run < RUNS; run++) {
    ours.push(readOnce(path))
    if (isRoot) legacy.push(wall('unshare', ['-n', 'iptables-legacy-restore', '--test', path]))
    if (isRoot && run < 2) nft.push(wall('unshare', ['-n', 'iptables-nft-restore', '--test', path]))
  }
  const of = (key: keyof Times): number => median(ours.map(times => times[key]))
  const ratio = (value: number): string => (isRoot ? (value / median(legacy)).toFixed(2) : '-').padStart(11)
  console.log(
    `${String(ours[0]?.rules).padEnd(8)} ${name.slice(0, 11).padEnd(11)} ${ms(of('read'))} ${ms(of('check'))} ${ms(of('write'))} ${ms(of('process'))} ${of('megabytes').toFixed(0).padStart(5)} MB | ${isRoot ? ms(median(legacy)) : '-'}        ${isRoot ? ms(median(nft)) : '-'}   | ${ratio(of('read'))} ${ratio(of('read') + of('check'))}`,
  )
}

/** `trace` of a 100-rule file, process start included. */
function startUp(): void {
  const path = join(folder, 'start.rules')
  writeFileSync(path, makeRuleset('flat', 100))
  const times = Array.from({ length: 9 }, () => wall(process.execPath, ['dist/bundle/main.js', 'trace', path, 'eth0 tcp 10.1.2.3:40000 > 192.0.2.1:22']))
  const empty = Array.from({ length: 9 }, () => wall(process.execPath, ['-e', '0']))
  console.log(`\n5x5 trace of a 100-rule file: ${ms(median(times))}, of which an empty node process takes ${ms(median(empty))}`)
}

function readOnce(path: string): Times {
  const start = performance.now()
  const { stdout, stderr } = spawnSync(process.execPath, ['--max-old-space-size=8192', 'dist/test/bench/read-once.js', path], { encoding: 'utf8' })
  const whole = performance.now() - start
  if (stdout === '') throw new Error(stderr)
  return { ...(JSON.parse(stdout) as Omit<Times, 'process'>), process: whole }
}

function wall(program: string, args: readonly string[]): number {
  const start = performance.now()
  spawnSync(program, args, { stdio: 'ignore' })
  return performance.now() - start
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`.padStart(8)
}
