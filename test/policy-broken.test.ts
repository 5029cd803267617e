/**
 * Broken policies and what is said about them: every file in fixtures/policy/broken/ has cases `### what it is about`, a policy, and the
 * findings as `=> line:column-end severity[code] message; help`. `-u` writes the findings anew. MUTATIONS=20000 SEED=7 for more of the random ones.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseSentence, validateGrammar } from '../grammar/parse-sentence.ts'
import { eachSentence } from '../grammar/policy-sentences.ts'
import type { Diagnostic } from '../src/diagnostics/diagnostic.ts'
import { positionAt } from '../src/diagnostics/source-file.ts'
import { buildStatement } from '../src/policy/build-ast.ts'
import { compilePolicy, startCompilation } from '../src/policy/compile.ts'
import type { CompiledPolicy } from '../src/policy/compile.ts'
import { readList, readRule } from '../src/policy/read-rule.ts'
import { outlinePolicy, resolvePolicy } from '../src/policy/resolve.ts'
import { writeRestore } from '../src/policy/write-restore.ts'
import { makeChance } from './chance.ts'
import type { Chance } from './chance.ts'

const FOLDER = 'fixtures/policy/broken'
const MUTATIONS = Number(process.env['MUTATIONS'] ?? 200)
const SEED = Number(process.env['SEED'] ?? 1)

test('the grammar is unambiguous', () => {
  expect(validateGrammar).not.toThrow()
})

describe.each(readdirSync(FOLDER))('%s', file => {
  const path = join(process.cwd(), FOLDER, file)
  const cases = readCases(readFileSync(path, 'utf8'))

  test('every case is found fault with', () => {
    expect(cases.filter(one => findings(one.policy).length === 0).map(one => one.title)).toEqual([])
  })

  test('the findings', async () => {
    const text = cases.map(({ title, policy }) => [`### ${title}`, policy, ...findings(policy)].join('\n')).join('\n\n')
    await expect(`${text}\n`).toMatchFileSnapshot(path)
  })
})

describe('policies with words lost, doubled, swapped or mistyped', () => {
  const texts = ['compile', 'gateway'].flatMap(place => readdirSync(join('fixtures/policy', place)).filter(name => name.endsWith('.gate')).map(name => readFileSync(join('fixtures/policy', place, name), 'utf8')))

  test(`${MUTATIONS} of them never throw, and are the same whether trees are kept or not`, () => {
    const chance = makeChance(SEED)
    let whole = 0
    for (let count = 0; count < MUTATIONS; count++) {
      const text = mutate(chance.pick(texts), chance)
      const source = { path: 'mutated.gate', text }
      const kept = resolvePolicy(source, () => ({ problem: 'nothing is included' }))
      const { frame, eachSentence } = outlinePolicy(source, () => ({ problem: 'nothing is included' }))
      const compilation = startCompilation(frame)
      const dropped = eachSentence(compilation.add)
      // Of a rule that is broken the kept tree tells more than its first error.
      const [errors, more] = [errorsOf(dropped.diagnostics), errorsOf(kept.diagnostics)]
      expect(errors.filter(error => !more.includes(error)), text).toEqual([])
      expect([dropped.assertions === undefined, kept.value === undefined], text).toEqual([errors.length > 0, more.length > 0])
      if (dropped.assertions && kept.value) {
        whole++
        expect(rulesOf(compilation.finish()), text).toBe(rulesOf(compilePolicy(kept.value)))
      }
    }
    expect(whole).toBeGreaterThan(MUTATIONS / 20)
  })

  test(`rules and lists of ${MUTATIONS} of them are read as the parser reads them`, () => {
    const chance = makeChance(SEED)
    let direct = 0
    for (let count = 0; count < MUTATIONS; count++) {
      const source = { path: 'mutated.gate', text: mutate(chance.pick(texts), chance) }
      eachSentence(source.text, tokens => {
        const read = readRule(source, tokens) ?? readList(source, tokens)
        const { tree, errors } = parseSentence(tokens)
        const parsed = errors.length === 0 ? buildStatement(source, tree) : undefined
        if (read) direct++
        expect(read, source.text).toEqual(parsed?.kind === 'rule' || parsed?.kind === 'let' ? parsed : undefined)
      })
    }
    expect(direct).toBeGreaterThan(MUTATIONS)
  })
})

/** Changes a text in one to three places. */
function mutate(text: string, { below, pick }: Chance): string {
  const words = text.split(/(\s+|[,{}/:"=-])/)
  for (let count = 1 + below(3); count > 0; count--) {
    const at = below(words.length)
    const word = words[at] ?? ''
    const change = pick(['lose', 'double', 'swap', 'mistype', 'insert'] as const)
    if (change === 'lose') words.splice(at, 1)
    else if (change === 'double') words.splice(at, 0, word)
    else if (change === 'swap') words.splice(at, 1, words[below(words.length)] ?? '')
    else if (change === 'mistype') words[at] = `${word.slice(0, below(word.length + 1))}${pick(['x', '"', '`', '{', '\n', '\u00e9', '0', '-', '#', '\\'])}${word.slice(below(word.length + 1))}`
    else words.splice(at, 0, pick([' except ', ' any ', ' 10.0.0.1 ', ' { ', ' }', '\n', ', ', ' published ', ' limit 1/s ', ' 999999999999 ', ' 2001:db8:: ']))
  }
  return words.join('')
}

function errorsOf(diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics.filter(({ severity }) => severity === 'error').map(writeFinding).toSorted()
}

function rulesOf({ rules }: CompiledPolicy): string {
  return writeRestore(rules.ipv4) + writeRestore(rules.ipv6)
}

interface BrokenCase {
  readonly title: string
  readonly policy: string
}

function readCases(text: string): readonly BrokenCase[] {
  return text.split(/^### /m).slice(1).map(part => {
    const [title = '', ...lines] = part.trimEnd().split('\n')
    return { title, policy: lines.filter(line => !line.startsWith('=> ')).join('\n') }
  })
}

function findings(text: string): readonly string[] {
  const { value, diagnostics } = resolvePolicy({ path: 'broken.gate', text }, path => ({ problem: `\`${path}\` does not exist` }))
  return [...diagnostics, ...(value ? compilePolicy(value).diagnostics : [])].filter(({ severity }) => severity !== 'note').map(writeFinding)
}

function writeFinding({ code, severity, message, help, span }: Diagnostic): string {
  const { line, column } = positionAt(span.source, span.start)
  return `=> ${line}:${column}-${column + span.end - span.start} ${severity}[${code}] ${message}${help === undefined ? '' : `; ${help}`}`
}
