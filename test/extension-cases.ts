/** The cases of fixtures/extensions: how a `.t` file is read. Its form is described in fixtures/extensions/README.md. */

import { readFileSync } from 'node:fs'
import type { Backend } from '../src/ir/hooks.ts'
import { isTableName } from '../src/ir/hooks.ts'
import type { TableName } from '../src/ir/hooks.ts'
import type { Family } from '../src/net/address.ts'

/** One line of a `.t` file for one chain and one backend. `saved` has the rules without `-A CHAIN`; undefined: it is refused. */
export interface ExtensionCase {
  readonly line: number
  readonly table: TableName
  readonly chain: string
  readonly words: string
  readonly saved: readonly string[] | undefined
  readonly backend: Backend
}

/** A `.t` file. `setup` are shell commands that the live run needs first. */
export interface ExtensionCases {
  readonly family: Family
  readonly setup: readonly string[]
  readonly cases: readonly ExtensionCase[]
}

/** Reads a `.t` file. */
export function readExtensionCases(path: string): ExtensionCases {
  const setup: string[] = []
  const cases: ExtensionCase[] = []
  let table: TableName = 'filter'
  let chains: readonly string[] = []
  for (const [index, text] of readFileSync(path, 'utf8').split('\n').entries()) {
    if (text === '' || text.startsWith('#')) continue
    if (text.startsWith('%')) setup.push(text.slice(1))
    else if (text.startsWith('*')) table = tableOf(text.slice(1))
    else if (text.startsWith(':')) chains = text.slice(1).split(',')
    else cases.push(...casesOf(text, index + 1, table, chains))
  }
  return { family: path.endsWith('.v6.t') ? 'ipv6' : 'ipv4', setup, cases }
}

function tableOf(name: string): TableName {
  if (!isTableName(name)) throw new Error(`there is no table ${name}`)
  return name
}

function casesOf(text: string, line: number, table: TableName, chains: readonly string[]): ExtensionCase[] {
  const [words = '', saved = '', result, backend] = text.split(/ ;(?= )/).map(part => part.trim())
  if (result !== 'OK' && result !== 'FAIL') throw new Error(`line ${line} says neither OK nor FAIL`)
  const rules = result === 'FAIL' ? undefined : saved === '=' ? [words] : saved.split(' | ')
  const backends: readonly Backend[] = backend === 'legacy' || backend === 'nft' ? [backend] : ['legacy', 'nft']
  return chains.flatMap(chain => backends.map(one => ({ line, table, chain, words, saved: rules, backend: one })))
}
