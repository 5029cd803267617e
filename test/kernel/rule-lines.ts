/**
 * Generated rule lines, valid, nearly valid and mangled: options come from the extensions' rows, their values from the lines of
 * fixtures/extensions and from mutations of them.
 */

import { readdirSync } from 'node:fs'
import { splitWords } from '../../grammar/save-words.ts'
import type { ExtensionDefinition } from '../../src/extensions/extension.ts'
import { MATCHES, TARGETS } from '../../src/extensions/registry.ts'
import { TABLE_HOOKS, TABLES } from '../../src/ir/hooks.ts'
import type { Family } from '../../src/net/address.ts'
import { savedProtocolName } from '../../src/net/protocol.ts'
import type { Random } from '../chance.ts'
import { readExtensionCases } from '../extension-cases.ts'
import type { Line } from './load-lines.ts'

/** These hang on modules or objects of the machine (ipsets, accounting objects, SELinux, ...): the text cannot tell. */
const MACHINE_OPTIONS = /^CT --(helper|timeout)$/
const MACHINE = new Set(['set', 'SET', 'nfacct', 'ipvs', 'LED', 'CLUSTERIP', 'SECMARK', 'CONNSECMARK', 'rateest', 'RATEEST', 'IDLETIMER', 'osf', 'bpf', 'cgroup', 'TEE', 'TRACE', 'ULOG'])

/** Returns `count` lines for both backends: two entries for each. */
export function makeLines(count: number, family: Family, random: Random): Line[] {
  const matches = MATCHES.filter(one => isUsable(one, family) && one.name !== 'ip')
  const targets = TARGETS.filter(one => isUsable(one, family))
  return Array.from({ length: count }).flatMap(() => {
    const target = pick(targets, random)
    const table = pick(target.tables && random(12) > 0 ? target.tables : TABLES, random)
    const hooks = TABLE_HOOKS[table]
    const fitting = hooks.filter(hook => !target.hooks || target.hooks.includes(hook))
    const chain = pick(fitting.length > 0 && random(12) > 0 ? fitting : hooks, random)
    const used = Array.from({ length: random(3) }, () => pick(matches, random))
    const words = makeRule(used, target, family, random)
    return (['legacy', 'nft'] as const).map(backend => ({ table, chain, words, backend }))
  })
}

function isUsable({ name, families }: ExtensionDefinition, family: Family): boolean {
  return !MACHINE.has(name) && (!families || families.includes(family))
}

function makeRule(matches: readonly ExtensionDefinition[], target: ExtensionDefinition, family: Family, random: Random): string {
  const ip = MATCHES.find(one => one.name === 'ip')
  const protocols = [...matches, target].flatMap(one => one.protocols ?? [])
  const protocol = protocols[0] ?? (random(3) === 0 ? 6 : undefined)
  const parts = [
    ip && random(2) === 0 ? someOptions(ip, family, random, 1).filter(part => !/^(! )?(-p|--proto)/.test(part)).join(' ') : '',
    protocol === undefined || random(12) === 0 ? '' : `${random(25) === 0 ? '! ' : ''}-p ${savedProtocolName(protocol) ?? protocol}`,
    ...matches.map(one => [`-m ${one.name}`, ...someOptions(one, family, random, 2)].join(' ')),
    [`-j ${target.name}`, ...someOptions(target, family, random, 2)].join(' '),
  ]
  return parts.filter(part => part !== '').join(' ')
}

/** Required options and up to `most` others; now and then one is left out or stands twice. */
function someOptions(definition: ExtensionDefinition, family: Family, random: Random, most: number): string[] {
  const rows = Object.entries(definition.options).filter(([name]) => !MACHINE_OPTIONS.test(`${definition.name} --${name}`))
  const required = rows.filter(([, row]) => row.required && random(20) > 0)
  const oneOf = definition.requiresOneOf && random(20) > 0 ? [pick(definition.requiresOneOf, random)] : []
  const others = rows.length === 0 ? [] : Array.from({ length: random(most + 1) }, () => pick(rows, random))
  const chosen = [...required, ...rows.filter(([name]) => oneOf.includes(name)), ...others]
  const distinct = random(6) === 0 ? chosen : [...new Map(chosen).entries()]
  return distinct.map(([name, row]) => {
    const spelling = random(4) === 0 ? pick([`--${name}`, ...(row.aliases ?? []), ...Object.keys(row.spellings ?? {}).map(other => `--${other}`)], random) : `--${name}`
    const shortened = random(30) === 0 && spelling.length > 6 ? spelling.slice(0, -1 - random(3)) : spelling
    // `--help` ends the load, and with it the lines that follow.
    const written = shortened === '--help' ? spelling : shortened
    const inverted = random(6) === 0 && (row.invertible || random(10) === 0)
    return [inverted ? '!' : '', written, valueOf(definition.name, spelling, row.type.words, family, random)].filter(word => word !== '').join(' ')
  })
}

function valueOf(extension: string, spelling: string, words: number, family: Family, random: Random): string {
  const known = poolOf(family).get(`${extension} ${spelling}`)
  const usual = known && random(15) > 0 ? pick(known, random) : Array.from({ length: words }, () => pick(ODD_VALUES, random)).join(' ')
  return random(12) === 0 ? mutate(usual, random) : usual
}

const ODD_VALUES = ['0', '1', '255', '65535', '65536', '4294967296', '-1', '0x10', '010', '""', 'x', 'a,b', '1:2', '2:1', ':', '10.0.0.1', '2001:db8::1', 'tcp', 'eth+', '"two words"']

function mutate(text: string, random: Random): string {
  const at = random(text.length + 1)
  const odd = pick(['0', ',', ':', '/', '-', 'x', '9', '', ' ', '!'], random)
  return random(2) === 0 ? text.slice(0, at) + odd + text.slice(at) : text.slice(0, at) + text.slice(at + 1)
}

const pools = new Map<Family, ReadonlyMap<string, readonly string[]>>()

/** The values that fixtures give to options, by `EXTENSION --option`. */
function poolOf(family: Family): ReadonlyMap<string, readonly string[]> {
  const old = pools.get(family)
  if (old) return old
  const pool = new Map<string, string[]>()
  for (const file of readdirSync('fixtures/extensions').filter(name => name.endsWith('.t'))) {
    const fixture = readExtensionCases(`fixtures/extensions/${file}`)
    const name = file.replace(/(\.v6)?\.t$/, '')
    if (fixture.family === family || !/v6/.test(file)) for (const { words } of fixture.cases) collect(name, words, pool)
  }
  pools.set(family, pool)
  return pool
}

function collect(extension: string, text: string, pool: Map<string, string[]>): void {
  const words: string[] = []
  const spans: { start: number; end: number }[] = []
  splitWords(text, 0, text.length, words, spans)
  for (const [index, word] of words.entries()) {
    if (!word.startsWith('-')) continue
    const end = words.findIndex((other, at) => at > index && (/^--?[a-zA-Z]/.test(other) || other === '!'))
    const first = spans[index + 1]
    const last = spans[(end === -1 ? words.length : end) - 1]
    if (!first || !last || last.end < first.end) continue
    const key = `${extension} ${word}`
    pool.set(key, [...(pool.get(key) ?? []), text.slice(first.start, last.end)])
  }
}

function pick<T>(from: readonly T[], random: Random): T {
  const one = from[random(from.length)]
  if (one === undefined) throw new Error('nothing to pick from')
  return one
}
