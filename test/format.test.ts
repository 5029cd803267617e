/**
 * The formatter: fixtures/format/CASE.gate and CASE.gate.expected, and that formatting changes neither what was formatted nor what is meant.
 * A new case is a new file; `npm test -- -u` writes what is expected.
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { format } from 'prettier'
import { describe, expect, test } from 'vitest'
import type { PolicyFile } from '../src/policy/ast.ts'
import * as plugin from '../src/policy/format.ts'
import { formatPolicy } from '../src/policy/format-policy.ts'
import { readPolicy } from '../src/policy/read.ts'
import { printedBy } from './printed-by.ts'

const FOLDER = 'fixtures/format'
const policies = readdirSync(FOLDER).filter(name => name.endsWith('.gate'))

describe('fixtures', () => {
  test.each(policies)('%s', async name => {
    const path = join(FOLDER, name)
    const text = readFileSync(path, 'utf8')
    const formatted = await formattedText(text)
    await expect(formatted).toMatchFileSnapshot(join('..', `${path}.expected`))
    await checkKept(text, formatted)
  })
})

describe('properties', () => {
  test('however the words are spread, formatting keeps them and is stable', async () => {
    const texts = policies.filter(name => name !== 'empty.gate').map(name => readFileSync(join(FOLDER, name), 'utf8'))
    await fc.assert(fc.asyncProperty(fc.constantFrom(...texts), fc.infiniteStream(fc.constantFrom(' ', '  ', '\t', '   ')), fc.infiniteStream(fc.boolean()), async (text, blanks, breaks) => {
      const spread = text.replace(/("[^"\n]*"|`[^`\n]*`|#[^\n]*)|[ \t]+|, *(?!\s*#)/g, (found, kept: string | undefined) => kept ?? (found.startsWith(',') ? (take(breaks) ? ',\n' : ', ') : take(blanks)))
      await checkKept(spread, await formattedText(spread))
    }), { numRuns: 60 })
  })

  test('the width of the page changes neither words nor comments', async () => {
    const text = readFileSync(join(FOLDER, 'gateway.gate'), 'utf8')
    for (const printWidth of [20, 40, 80, 200]) {
      const formatted = await format(text, { parser: 'gate', plugins: [plugin], printWidth })
      expect(meaningOf(formatted)).toEqual(meaningOf(text))
      expect(await format(formatted, { parser: 'gate', plugins: [plugin], printWidth })).toBe(formatted)
    }
  })
})

describe('5x5 fmt', () => {
  test('prints a policy, and several after their names', async () => {
    const expected = readFileSync(join(FOLDER, 'crowded.gate.expected'), 'utf8')
    expect(await printedBy(['fmt', 'crowded.gate'], FOLDER)).toBe(expected)
    expect(await printedBy(['fmt', 'crowded.gate', 'empty.gate'], FOLDER)).toBe(`# crowded.gate\n${expected}# empty.gate\n`)
  })

  test('--check lists, --write writes what is not formatted', async () => {
    const folder = mkdtempSync(join(tmpdir(), '5x5-'))
    writeFileSync(join(folder, 'a.gate'), 'allow   ssh from any to fw # yes\n')
    expect(await printedBy(['fmt', '--check', 'a.gate'], folder)).toBe('a.gate\n(exit code 1)\n')
    expect(await printedBy(['fmt', '--write', 'a.gate'], folder)).toBe('a.gate\n')
    expect(readFileSync(join(folder, 'a.gate'), 'utf8')).toBe('allow ssh from any to fw  # yes\n')
    expect(await printedBy(['fmt', '--check', 'a.gate'], folder)).toBe('')
    writeFileSync(join(folder, 'a.gate'), 'allow ssh from\n')
    expect(await printedBy(['fmt', '--write', 'a.gate'], folder)).toMatch(/a\.gate:1:15[\s\S]*a\.gate is not formatted: it has errors\n\(exit code 1\)\n$/)
    rmSync(folder, { recursive: true })
  })
})

describe('the plugin', () => {
  test('Prettier finds the parser by the name of the file', async () => {
    expect(await format('allow   ssh from any to fw', { filepath: 'a.gate', plugins: [plugin] })).toBe('allow ssh from any to fw\n')
  })

  test('rulesets are written as iptables-save would', async () => {
    const text = '*filter\n:INPUT DROP\n-A INPUT   --protocol tcp --dport ssh -j ACCEPT\nCOMMIT\n'
    expect(await format(text, { filepath: 'a.rules', plugins: [plugin] })).toBe('*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n')
  })

  test('what would be lost or is broken is refused, with its place', async () => {
    await expect(format('# remark\n*filter\nCOMMIT\n', { filepath: 'a.rules', plugins: [plugin] })).rejects.toThrow('the comment would be lost')
    await expect(format('allow ssh\nallow from from\n', { filepath: 'a.gate', plugins: [plugin] })).rejects.toThrow('(2:12)')
  })
})

async function formattedText(text: string): Promise<string> {
  const { text: formatted, diagnostics } = await formatPolicy({ path: 'case.gate', text })
  expect(diagnostics).toEqual([])
  return formatted ?? ''
}

async function checkKept(text: string, formatted: string): Promise<void> {
  expect(meaningOf(formatted)).toEqual(meaningOf(text))
  expect(await formattedText(formatted)).toBe(formatted)
}

/** The tree without its places, and the comments with the words before and after them. */
function meaningOf(text: string): unknown {
  const { value } = readPolicy({ path: 'case.gate', text })
  return { statements: withoutPlaces(value.statements), comments: value.comments.map(comment => ({ text: comment.text, ownLine: comment.ownLine, ...neighbours(value, comment.span.start, comment.span.end) })) }
}

function neighbours({ source }: PolicyFile, start: number, end: number): object {
  const words = (text: string): readonly string[] => text.split(/[\s,]+/).filter(word => word !== '')
  return { before: words(source.text.slice(0, start)).slice(-1), after: words(source.text.slice(end)).slice(0, 1) }
}

function withoutPlaces(tree: unknown): unknown {
  return JSON.parse(JSON.stringify(tree, (key, value: unknown) => (key === 'span' || key === 'verbSpan' ? undefined : value)))
}

function take<T>(stream: Iterable<T> & { next(): IteratorResult<T> }): T {
  return stream.next().value as T
}
