/** fixtures/save: raw rulesets written back as the saves that the real programs made of them. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Backend } from '../src/ir/hooks.ts'
import { readRuleset } from '../src/save/read.ts'
import { writeRuleset } from '../src/save/write.ts'

const FOLDER = 'fixtures/save'

/** Saves that we do not reproduce, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'hand-no-commit.legacy-save': 'refused: what was there before',
  'hand-no-commit.nft-save': 'refused: what was there before',
  'hand-no-commit-second.legacy-save': 'refused: what was there before',
  'hand-no-commit-second.nft-save': 'refused: what was there before',
}

describe('saves of fixtures/save', () => {
  for (const file of readdirSync(FOLDER).filter(name => /\.rules6?$/.test(name)).sort()) {
    const isIpv6 = file.endsWith('6')
    const base = `${file.replace(/\.rules6?$/, '')}${isIpv6 ? '.v6' : ''}`
    for (const backend of ['legacy', 'nft'] as const satisfies readonly Backend[]) {
      for (const ending of ['', '-c']) {
        const save = `${base}.${backend}-save${ending}`
        if (existsSync(`${FOLDER}/${save}`)) testSave(file, save, backend, ending === '-c')
      }
    }
  }
})

function testSave(file: string, save: string, backend: Backend, counters: boolean): void {
  const { value } = readRuleset([{ path: file, text: readFileSync(`${FOLDER}/${file}`, 'utf8') }], { family: file.endsWith('6') ? 'ipv6' : 'ipv4', backend, counters })
  const reason = EXCEPTIONS[save]
  const title = reason === undefined ? save : `${save} (${reason})`
  const written = writeRuleset(value, { backend, counters })
  const wanted = readFileSync(`${FOLDER}/${save}`, 'utf8')
  if (reason === undefined) test(title, () => expect(written).toBe(wanted))
  else test.skip(title)
}
