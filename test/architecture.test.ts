/** The shape of the project: who may import whom, how long a file may be, and that every catalogue entry has its fixture. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import graphlib from '@dagrejs/graphlib'
import { describe, expect, test } from 'vitest'
import { MATCHES, TARGETS } from '../src/extensions/registry.ts'

/** Folders from left to right: a folder imports only from folders of earlier rows; folders of one row never import each other. */
const LAYERS = [
  ['grammar', 'src/diagnostics', 'src/net'],
  ['src/packet', 'src/yaml'],
  ['src/meaning', 'src/ir'],
  ['src/extensions', 'src/packetset'],
  ['src/save', 'src/topology'],
  ['src/draft'],
  ['src/docker', 'src/cni', 'src/kube', 'src/simulate', 'src/symbolic', 'src/policy'],
  ['src/analyze'],
  ['src/lint'],
  ['src/report'],
  ['cli', 'web'],
  ['test'],
]

/** Tables of names may be longer than 400 lines. */
const LONG_FILES: readonly string[] = []

const files = ['grammar', 'src', 'cli', 'test'].flatMap(typescriptFiles)
const imports = files.flatMap(file => importsOf(file).map(target => ({ file, target })))

describe('architecture', () => {
  test('every source folder has its place in the layers', () => {
    const known = new Set(LAYERS.flat())
    expect(files.map(layerOf).filter(layer => !known.has(layer))).toEqual([])
  })

  test('imports go to the left only', () => {
    const wrong = imports.filter(({ file, target }) => {
      const from = rowOf(file)
      const to = rowOf(target)
      return layerOf(file) !== layerOf(target) && (from === -1 || to === -1 || to >= from)
    })
    expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([])
  })

  test('extensions never import each other', () => {
    const catalogue = /^src\/extensions\/(matches|targets)\//
    expect(imports.filter(({ file, target }) => catalogue.test(file) && catalogue.test(target))).toEqual([])
  })

  test('no file is part of an import cycle', () => {
    const graph = new graphlib.Graph()
    for (const { file, target } of imports) graph.setEdge(file, target)
    expect(graphlib.alg.findCycles(graph)).toEqual([])
  })

  test('only cli/ and test/ use Node', () => {
    const users = files.filter(file => /^(src|grammar)\//.test(file) && /from ['"]node:|\bprocess\.|\bBuffer\b|\brequire\(/.test(withoutComments(file)))
    expect(users).toEqual([])
  })

  test('no index.ts and no default export', () => {
    expect(files.filter(file => file.endsWith('/index.ts'))).toEqual([])
    expect(files.filter(file => file !== 'test/kernel/announce.ts' && /^export default\b/m.test(readFileSync(file, 'utf8')))).toEqual([])
  })

  test('no file is over 400 lines, no catalogue file over 120', () => {
    const lengths = files.map(file => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
    const limit = (file: string): number => (/^src\/(extensions\/(matches|targets)|lint\/rules)\/|^cli\/commands\//.test(file) ? 120 : 400)
    expect(lengths.filter(({ file, lines }) => lines > limit(file) && !LONG_FILES.includes(file))).toEqual([])
  })

  test('every file begins with what belongs there', () => {
    expect(files.filter(file => !/^(#!.*\n)?\/\*\*/.test(readFileSync(file, 'utf8')))).toEqual([])
  })

  test('every extension has a fixture, and every fixture an extension', () => {
    const names = [...new Set([...MATCHES, ...TARGETS].map(definition => definition.name))].sort()
    const fixtures = readdirSync('fixtures/extensions').filter(file => file.endsWith('.t')).map(file => file.replace(/(\.v6)?\.t$/, ''))
    expect([...new Set(fixtures)].sort()).toEqual(names)
  })

  test('every fixture folder has a runner', () => {
    const runners = files.filter(file => file.startsWith('test/')).map(file => readFileSync(file, 'utf8')).join('\n')
    const folders = readdirSync('fixtures', { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => entry.name)
    expect(folders.filter(folder => !runners.includes(`fixtures/${folder}`))).toEqual([])
  })
})

function typescriptFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts')).map(file => join(folder, file)).sort()
}

function importsOf(file: string): string[] {
  const found = [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)]
  return found.map(match => normalize(join(dirname(file), match[1] ?? ''))).filter(target => target.endsWith('.ts'))
}

function layerOf(file: string): string {
  const parts = file.split('/')
  return parts[0] === 'src' ? parts.slice(0, 2).join('/') : (parts[0] ?? '')
}

function rowOf(file: string): number {
  return LAYERS.findIndex(row => row.includes(layerOf(file)))
}

function withoutComments(file: string): string {
  return readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}
