/** The reference page of all extensions, derived from their rows: as data, and as Markdown. */

import type { Family } from '../net/address.ts'
import { protocolInWords } from '../net/protocol.ts'
import type { ExtensionDefinition, OptionRow } from './extension.ts'
import { MATCHES, TARGETS } from './registry.ts'

/** An option as the page shows it. */
export interface ReferenceOption {
  readonly name: string
  /** Everything that the option is written as, the first with its words: `--tcp-flags mask set`, `--syn`. Aliases take the same words. */
  readonly spellings: readonly string[]
  readonly invertible: boolean
  readonly doc: string
  /** What else there is to know, such as `needs --to-ports`. */
  readonly notes: readonly string[]
}

/** An extension as the page shows it. */
export interface ReferenceEntry {
  readonly kind: 'match' | 'target'
  readonly name: string
  readonly aliases: readonly string[]
  readonly doc: string
  readonly families: readonly Family[]
  /** Where and with what it works, such as `needs -p tcp`. */
  readonly conditions: readonly string[]
  readonly options: readonly ReferenceOption[]
}

/** Returns all entries, matches first, in the order of their names; `ip`, the options that need no `-m`, comes before all. */
export function referenceEntries(): readonly ReferenceEntry[] {
  const byName = (left: ReferenceEntry, right: ReferenceEntry): number => Number(right.name === 'ip') - Number(left.name === 'ip') || (left.name < right.name ? -1 : left.name > right.name ? 1 : 0)
  return [...MATCHES, ...TARGETS].map(entryOf).reduce(joinFamilies, []).sort((left, right) => (left.kind === right.kind ? byName(left, right) : left.kind === 'match' ? -1 : 1))
}

/** An extension that is defined for each family, but reads the same in both, is one entry. */
function joinFamilies(entries: readonly ReferenceEntry[], entry: ReferenceEntry): ReferenceEntry[] {
  const same = (other: ReferenceEntry): boolean => JSON.stringify({ ...other, families: [] }) === JSON.stringify({ ...entry, families: [] })
  return entries.some(same) ? entries.map(other => (same(other) ? { ...other, families: [...other.families, ...entry.families] } : other)) : [...entries, entry]
}

/** Returns the entries of a name or alias: several where it differs by family; any case where no name has this one. */
export function entriesNamed(entries: readonly ReferenceEntry[], name: string): readonly ReferenceEntry[] {
  const exact = entries.filter(entry => entry.name === name || entry.aliases.includes(name))
  return exact.length > 0 ? exact : entries.filter(entry => entry.name.toLowerCase() === name.toLowerCase())
}

/** Returns the whole page. */
export function referencePage(entries: readonly ReferenceEntry[]): string {
  const part = (kind: ReferenceEntry['kind'], title: string, lead: string): string => {
    const own = entries.filter(entry => entry.kind === kind)
    return `## ${title}\n\n${lead}\n\n${own.map(entryText).join('\n')}`
  }
  return [
    '# Matches and targets of iptables\n\nEvery option as `iptables-restore` takes it. `[!]` may stand before an option that can be turned round. All options of a match hold\ntogether; an option that is not given asks for nothing.\n',
    part('match', 'Matches', 'A rule names a match with `-m NAME`; the options of `ip` need none. After `-p tcp` and its kin the match of that protocol is loaded by itself.'),
    part('target', 'Targets', 'A rule names its target with `-j NAME`. Another name is that of a user chain.'),
  ].join('\n')
}

/** Returns the section of one extension. */
export function entryText(entry: ReferenceEntry): string {
  const { kind, name, aliases, doc, families, conditions, options } = entry
  const family = families.length === 1 ? ` (${families[0] === 'ipv4' ? 'IPv4' : 'IPv6'})` : ''
  const called = aliases.length > 0 ? `, also called ${aliases.map(code).join(', ')}` : ''
  return [
    `### ${capital(kind)} ${name}${family}\n\n${capital(doc)}${called}.\n`,
    ...(conditions.length > 0 ? [`${conditions.map(condition => `${capital(condition)}.`).join(' ')}\n`] : []),
    ...(options.length > 0 ? [options.map(optionText).join('')] : ['It has no options.\n']),
  ].join('\n')
}

function optionText({ spellings, invertible, doc, notes }: ReferenceOption): string {
  const [first = '', ...others] = spellings
  const also = others.length > 0 ? ` Also ${others.map(code).join(', ')}.` : ''
  return `- ${code(`${invertible ? '[!] ' : ''}${first}`)}: ${doc}.${also}${notes.map(note => ` ${capital(note)}.`).join('')}\n`
}

function entryOf(definition: ExtensionDefinition): ReferenceEntry {
  const families = definition.families ?? ['ipv4', 'ipv6']
  return {
    kind: definition.kind,
    name: definition.name,
    aliases: definition.kind === 'match' ? (definition.aliases ?? []) : [],
    doc: definition.doc,
    families,
    conditions: conditionsOf(definition),
    options: Object.entries(definition.options).map(([name, row]) => optionOf(name, row, families)),
  }
}

function conditionsOf(definition: ExtensionDefinition): string[] {
  const { tables, hooks, protocols, requiresOneOf } = definition
  const isRemembering = definition.kind === 'match' && definition.memory !== undefined
  return [
    ...(tables || hooks ? [`works in ${[...(tables ? [`${tables.length === 1 ? 'table' : 'tables'} ${list(tables, 'and')}`] : []), ...(hooks ? [list(hooks, 'and')] : [])].join(', in ')} only`] : []),
    ...(protocols ? [`needs ${list(protocols.map(number => code(`-p ${protocolInWords(number)}`)), 'or')}`] : []),
    ...(requiresOneOf && requiresOneOf.length === Object.keys(definition.options).length ? ['needs at least one option'] : requiresOneOf ? [`needs ${requiresOneOf.length === 1 ? '' : 'one of '}${list(requiresOneOf.map(name => code(`--${name}`)), 'or')}`] : []),
    ...(isRemembering ? ['what it decides depends on earlier packets'] : []),
  ]
}

function optionOf(name: string, row: OptionRow<unknown>, families: readonly Family[]): ReferenceOption {
  const written = (option: string, syntax: string): string => (syntax === '' ? option : `${option} ${row.type.isOptional && syntax === row.type.syntax ? `[${syntax}]` : syntax}`)
  return {
    name,
    spellings: [
      written(`--${name}`, row.type.syntax),
      ...(row.aliases ?? []),
      ...Object.entries(row.spellings ?? {}).map(([spelling, type]) => written(`--${spelling}`, type.syntax)),
    ],
    invertible: row.invertible === true,
    doc: row.doc,
    notes: notesOf(row, families),
  }
}

function notesOf(row: OptionRow<unknown>, families: readonly Family[]): string[] {
  const options = (names: readonly string[]): readonly string[] => names.map(name => code(`--${name}`))
  const only = row.families?.length === 1 && families.length > 1 ? row.families[0] : undefined
  return [
    ...(row.required ? ['it must be given'] : []),
    ...(only ? [`${only === 'ipv4' ? 'IPv4' : 'IPv6'} only`] : []),
    ...(row.requires ? [`it needs ${list(options(row.requires), 'and')}`] : []),
    ...(row.after === undefined ? [] : [`it stands after ${code(`--${row.after}`)}`]),
    ...(row.excludes ? [`it cannot stand with ${list(options(row.excludes), 'or')}`] : []),
  ]
}

function list(words: readonly string[], conjunction: 'and' | 'or'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1) ?? ''}`
}

function code(text: string): string {
  return `\`${text}\``
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
