/** Single rules through the real iptables-restore and iptables-save: many in one network namespace of their own. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Family } from '../../src/net/address.ts'

/** A rule, its place, and the program that loads it. */
export interface Line {
  readonly table: string
  readonly chain: string
  readonly words: string
  readonly backend: Backend
}

/** What the real program did: the saved rules without `-A CHAIN`, or what it printed when it refused the line. */
export interface Loaded {
  readonly saved: readonly string[] | undefined
  readonly message: string
}

/** Loads each line by itself. `setup` are shell commands to run first; undefined where one of them fails. */
export function loadLines(lines: readonly Line[], family: Family, setup: readonly string[] = []): readonly Loaded[] | undefined {
  const folder = mkdtempSync(join(tmpdir(), '5x5-lines-'))
  try {
    for (const [index, { table, chain, words }] of lines.entries()) writeFileSync(join(folder, String(index)), `*${table}\n-A ${chain} ${words}\nCOMMIT\n`)
    const program = family === 'ipv4' ? 'iptables' : 'ip6tables'
    const loads = lines.map(({ backend, table }, index) => `echo "#@${index}"; ${program}-${backend}-restore < ${index} 2>&1 && echo OK@ && ${program}-${backend}-save -t ${table}`)
    const script = [...setup.map(command => `${command} || exit 9`), ...loads, 'true'].join('\n')
    const run = spawnSync('unshare', ['-n', 'sh'], { input: script, cwd: folder, encoding: 'utf8', maxBuffer: 1 << 30 })
    if (run.status !== 0) return undefined
    const parts = run.stdout.split(/^#@\d+\n/m).slice(1)
    return lines.map(({ chain }, index) => readPart(parts[index] ?? '', chain))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Returns the rules of one chain in a save, without `-A CHAIN`. */
export function rulesOfChain(save: string, chain: string): readonly string[] {
  return save.split('\n').filter(line => line.startsWith(`-A ${chain}`)).map(line => line.slice(`-A ${chain}`.length).trim())
}

function readPart(part: string, chain: string): Loaded {
  const ok = part.indexOf('OK@\n')
  return ok === -1 ? { saved: undefined, message: part.trim().split('\n')[0] ?? '' } : { saved: rulesOfChain(part.slice(ok), chain), message: '' }
}
