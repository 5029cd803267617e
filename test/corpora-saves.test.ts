/** Every ruleset of the corpora beside the repository, where they are present, written back as its stored save. */

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Backend } from '../src/ir/hooks.ts'
import { readRuleset } from '../src/save/read.ts'
import { writeRuleset } from '../src/save/write.ts'

const FOLDER = '../shared/corpora'
const isPresent = existsSync(`${FOLDER}/INDEX.tsv`)

interface Comparison {
  readonly name: string
  readonly isSame: boolean
}

describe.skipIf(!isPresent)(isPresent ? 'saves of the corpora' : 'saves of the corpora: not present', () => {
  for (const backend of ['legacy', 'nft'] as const) {
    const found = isPresent ? savesOf(backend).map(save => compare(save, backend)) : []
    test(`${backend}: ${found.filter(one => one.isSame).length} of ${found.length} are the same`, () => {
      expect(found.filter(one => !one.isSame).map(one => one.name)).toEqual([])
    })
  }
})

interface Save {
  readonly raw: string
  readonly save: string
  readonly isIpv6: boolean
}

function savesOf(backend: Backend): Save[] {
  const rows = readFileSync(`${FOLDER}/INDEX.tsv`, 'utf8').trim().split('\n').slice(1)
  return rows.flatMap(row => {
    const [path = '', family] = row.split('\t')
    const raw = `${FOLDER}/${path}`
    const base = raw.replace(/\.rules6?$/, '')
    const save = [`${base}${family === '6' ? '.v6' : ''}.${backend}-save`, `${base}.${backend}-save`].find(name => existsSync(name))
    return save !== undefined && existsSync(raw) ? [{ raw, save, isIpv6: family === '6' }] : []
  })
}

function compare({ raw, save, isIpv6 }: Save, backend: Backend): Comparison {
  const { value } = readRuleset([{ path: raw, text: readFileSync(raw, 'utf8') }], { family: isIpv6 ? 'ipv6' : 'ipv4', backend, counters: false })
  return { name: save, isSame: writeRuleset(value, { backend }) === readFileSync(save, 'utf8') }
}
