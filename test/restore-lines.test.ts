/** Lines of iptables-restore's format beyond `-A`: fixtures/restore-lines/ has each with what the real programs do with it, as a plain load. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkRuleset } from '../src/extensions/check-ruleset.ts'
import type { Backend } from '../src/ir/hooks.ts'
import { readRuleset } from '../src/save/read.ts'
import { kernel } from './kernel/live.ts'

const FILE = 'fixtures/restore-lines/filter.tsv'
const BACKENDS = ['legacy', 'nft'] as const satisfies readonly Backend[]

interface Line {
  readonly words: string
  readonly results: Readonly<Record<Backend, string>>
}

const lines = readFileSync(FILE, 'utf8').split('\n').filter(line => line !== '').map((line): Line => {
  const [words = '', legacy = '', nft = ''] = line.split('\t')
  return { words, results: { legacy, nft } }
})

describe.each(BACKENDS)('lines that iptables-%s-restore takes or refuses', backend => {
  const recorded = lines.map(({ words, results }) => `${words} => ${results[backend]}`)

  test('the reader', () => {
    expect(lines.map(({ words }) => `${words} => ${ours(words, backend)}`)).toEqual(recorded)
  })

  test.skipIf(!kernel().live)('the real program', () => {
    expect(lines.map(({ words }) => `${words} => ${real(words, backend)}`)).toEqual(recorded)
  })
})

const inTable = (words: string): string => `*filter\n:u1 - [0:0]\n-A INPUT -s 10.0.0.1 -j DROP\n-A INPUT -j ACCEPT\n${words}\nCOMMIT\n`

function ours(words: string, backend: Backend): string {
  const { value, diagnostics } = readRuleset([{ path: 'rules', text: inTable(words) }], { family: 'ipv4', backend, counters: false })
  const isRefused = [...diagnostics, ...checkRuleset(value, { backend })].some(found => found.severity === 'error' && (found.backend ?? backend) === backend)
  return isRefused ? 'refused' : 'ok'
}

function real(words: string, backend: Backend): string {
  return spawnSync('unshare', ['-n', `iptables-${backend}-restore`], { input: inTable(words) }).status === 0 ? 'ok' : 'refused'
}
