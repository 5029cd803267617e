/** Which option words a rule understands: those of ip, and of the matches and target it has named so far. */

import { matchDefinition, targetDefinition } from '../extensions/registry.ts'
import { invariant } from '../diagnostics/diagnostic.ts'
import type { ExtensionDefinition, MatchDefinition, OptionRow, OptionType } from '../extensions/extension.ts'
import type { OptionUse } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'

/** An option as it may be written: its own name, an alias, or another spelling with its own type. */
export interface WrittenOption {
  /** The row's name, the key in `infos`. */
  readonly name: string
  /** The row's place among the rows. */
  readonly index: number
  readonly row: OptionRow<unknown>
  readonly type: OptionType<unknown>
  /** What its words were read as, by their text; shared by all rules of a ruleset. */
  readonly readings: Map<string, ReadOption>
}

/** An option read from words that were seen before: equal words give this one object. */
export interface ReadOption {
  /** A number of its own among all of its ruleset. */
  readonly id: number
  readonly option: WrittenOption
  readonly plain: OptionUse
  readonly inverted: OptionUse
  /** What loading changes without a word. */
  readonly change: string | undefined
}

/** The words of one extension. `uses` interns the finished uses by the ids of their options. */
export interface ExtensionWords {
  readonly definition: ExtensionDefinition
  readonly byWord: ReadonlyMap<string, WrittenOption>
  readonly uses: Map<string, unknown>
}

/** The words of every extension of a family, made when first named. */
export interface Vocabulary {
  readonly family: Family
  readonly ip: ExtensionWords
  readonly match: (name: string) => ExtensionWords | undefined
  readonly target: (name: string) => ExtensionWords | undefined
  /** Hands out `ReadOption` ids. */
  nextId: number
}

/** Returns a fresh vocabulary for one ruleset: what it interns is shared by that ruleset's rules and no other. */
export function makeVocabulary(family: Family): Vocabulary {
  const match = lazily(name => matchDefinition(name, family))
  const ip = match('ip')
  invariant(ip, 'the match ip is registered')
  return { family, ip, match: name => (name === 'ip' ? undefined : match(name)), target: lazily(name => targetDefinition(name, family)), nextId: 0 }
}

function lazily(find: (name: string) => ExtensionDefinition | undefined): (name: string) => ExtensionWords | undefined {
  const known = new Map<string, ExtensionWords | undefined>()
  const byDefinition = new Map<ExtensionDefinition, ExtensionWords>()
  return name => {
    if (known.has(name)) return known.get(name)
    const definition = find(name)
    const words = definition && (byDefinition.get(definition) ?? wordsOf(definition))
    if (definition && words) byDefinition.set(definition, words)
    known.set(name, words)
    return words
  }
}

function wordsOf(definition: ExtensionDefinition): ExtensionWords {
  const byWord = new Map<string, WrittenOption>()
  for (const [index, [name, row]] of Object.entries(definition.options).entries()) {
    const own: WrittenOption = { name, index, row, type: row.type, readings: new Map() }
    byWord.set(`--${name}`, own)
    for (const alias of row.aliases ?? []) byWord.set(alias, own)
    for (const [spelling, type] of Object.entries(row.spellings ?? {})) byWord.set(`--${spelling}`, { name, index, row, type, readings: new Map() })
  }
  return { definition, byWord, uses: new Map() }
}

/** Returns the match that a protocol brings along (`-p tcp` brings `-m tcp`), undefined where it brings none. Source: iptables/xshared.c find_proto(). */
export function matchOfProtocol(protocol: number, family: Family): MatchDefinition | undefined {
  const name = PROTOCOL_MATCHES.get(protocol)
  return name === undefined ? undefined : matchDefinition(name, family)
}

const PROTOCOL_MATCHES = new Map([[6, 'tcp'], [17, 'udp'], [136, 'udplite'], [1, 'icmp'], [58, 'icmp6'], [132, 'sctp'], [33, 'dccp'], [50, 'esp'], [51, 'ah'], [135, 'mh']])
